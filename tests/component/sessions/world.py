"""A sessions service with people and pairings in it, as enrollment's events would have put them there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from infra.clock import to_wire
from infra.messaging.envelope import Event, derived_id
from infra.settings import Settings
from infra.storage.mongo import connect
from services.sessions.app import api
from services.sessions.commands.endorsements import Endorsements
from services.sessions.reactions import Reactions
from services.sessions.store import Store
from tests.support import Answer, Client

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""Monday 09:00 in Tangerang."""

Trio = tuple[str, str, str]
"""Guide, learner and their pairing."""

PRESENT = START + timedelta(hours=8)

LONG_AGO = START - timedelta(days=300)


@dataclass
class Watch:
    """A clock that tests set."""

    time: datetime = PRESENT

    def __call__(self) -> datetime:
        return self.time

    def tick(self, **amount: float) -> None:
        """Moves the time on."""
        self.time += timedelta(**amount)


@dataclass
class World:
    """One service in one process, called over HTTP; enrollment is played by the test."""

    settings: Settings
    tokens: Any
    clock: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self.store = Store(connect(self.settings))
        self.store.ensure_indexes()
        self.app = api(self.settings, self.clock)
        self.handle = Reactions(self.store, self.clock, Endorsements(self.store, self.clock)).handler()
        self.reset()

    def reset(self) -> None:
        """Turns the clock back and forgets what enrollment has said."""
        self.clock.time = PRESENT
        self.seqs: dict[str, int] = {}
        self.told: list[Event] = []

    # --- enrollment, played

    def tell(self, type_: str, data: Mapping[str, Any] | None, subject: str, seq: int | None = None) -> Event:
        """Enrollment says something; handled at once, and kept in `told`. seq: the next one unless given."""
        number = seq if seq is not None else self.seqs.get(subject, 0) + 1
        self.seqs[subject] = max(number, self.seqs.get(subject, 0))
        told = Event(
            id=derived_id(type_, subject, str(number)),
            source="enrollment",
            type=type_,
            version=1,
            subject=subject,
            seq=number,
            time=self.clock(),
            effective_at=self.clock(),
            key=subject,
            body=None if data is None else msgspec.json.encode(data),
            topic="enrollment.people" if type_.startswith("person.") else "enrollment.events",
        )
        self.handle([told])
        self.told.append(told)
        return told

    def employee(self, supervisor: str | None = None, *, id_: str | None = None, active: bool = True) -> str:
        """An employee, new or with another supervisor."""
        person = id_ or str(uuid4())
        placement = {"from": to_wire(LONG_AGO), "unit": "SETDA", "supervisor_id": supervisor, "active": active}
        data = {"id": person, "active": active, "history": [placement], "skills": []}
        self.tell("employee.created" if id_ is None else "employee.changed", data, person)
        return person

    def pairing(self, guide: str, learner: str, *, state: str = "active", **changes: Any) -> str:
        """A mentoring pairing to level 3 that is active since long ago."""
        id_ = changes.pop("id_", None) or str(uuid4())
        history = [{"state": "active", "at": to_wire(LONG_AGO)}]
        if state != "active":
            history.append({"state": state, "at": to_wire(self.clock())})
        data = {
            "id": id_,
            "kind": "mentoring",
            "guide_id": guide,
            "learner_id": learner,
            "competency": "menyusun-surat-dinas",
            "target_level": 3,
            "due_on": "2026-12-31",
            "state": state,
            "active_at": to_wire(LONG_AGO),
            "ended_at": None,
            "history": history,
        }
        self.tell(f"pairing.{state}", {**data, **changes}, id_)
        return id_

    # --- callers

    def by(self, sub: str, *roles: str) -> Client:
        """The API as this person, an employee unless other roles are given."""
        return Client(self.app, self.tokens(sub, roles or ("employee",)))

    def post_session(self, guide: str, pairing: str, **changes: Any) -> Answer:
        """PUTs a new session as the guide."""
        return self.by(guide).put(f"/v1/sessions/{uuid4()}", body(pairing, **changes))

    def move(self, who: str, session_id: str, to: str, *roles: str, **more: Any) -> Answer:
        """A transition of a session."""
        version = more.pop("version", None)
        path = f"/v1/sessions/{session_id}/transitions"
        return self.by(who, *roles).post(path, {"to": to, **more}, version=version)

    def confirmed(self, guide: str, learner: str, pairing: str, **changes: Any) -> str:
        """A session that its learner has confirmed."""
        id_: str = self.post_session(guide, pairing, **changes).expect(201).body["id"]
        self.move(learner, id_, "confirmed").expect(200)
        return id_


def body(pairing: str, **changes: Any) -> dict[str, Any]:
    """A held session of an hour at START."""
    fields: dict[str, Any] = {
        "pairing_id": pairing,
        "status": "held",
        "started_at": START,
        "minutes": 60,
        "place": "in_person",
    }
    made = {**fields, **changes}
    if isinstance(made["started_at"], datetime):
        made["started_at"] = to_wire(made["started_at"])
    return made
