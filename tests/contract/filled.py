"""Each service with one of everything in it: what its paths name, and the people who stand near or far from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Flask

from infra.clock import system_clock
from infra.settings import Settings
from infra.storage.mongo import connect
from services.enrollment import app as enrollment
from services.enrollment.context import Context
from services.enrollment.domain.pairings import Limits
from services.enrollment.store import Store as EnrollmentStore
from services.notifications import app as notifications
from services.notifications.store import Store as NotificationsStore
from services.reporting import app as reporting
from services.reporting.generations import Generations
from services.reporting.projections import Projection
from tests.component.enrollment.programme import Programme
from tests.component.notifications.conftest import Hands, LetterBox, Service
from tests.component.reporting.telling import settle, tell
from tests.component.sessions.world import World, body
from tests.conftest import Tokens
from tests.unit.notifications import happenings as told
from tests.unit.reporting.world import city

SKILL = "menyusun-surat-dinas"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Records:
    """One of everything. places: what stands for a part of a path, such as `units/{code}`. people: the employees
    who have a part in it, by that part. bodies: what is sent to an operation (`PUT /v1/units/{code}`), where it
    says whose record is meant; `{}` to all others. queries: what is asked with it, where that makes a difference.
    """

    places: Mapping[str, str]
    people: Mapping[str, str]
    bodies: Mapping[str, Any] = field(default_factory=dict)
    queries: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def at(self, path: str) -> str:
        """The path with these records in it. A new parameter must be named by whoever fills the service."""
        for name, value in self.places.items():
            path = path.replace(name, value)
        assert "{" not in path, f"tests/contract/filled.py must say what stands for the parameter in {path}"
        return path


@dataclass(frozen=True)
class Filled:
    """A service over a database of its own. records: makes one of everything, new each time where it can change.

    here, elsewhere: the unit that the records belong to, and one that has nothing to do with it.
    """

    settings: Settings
    app: Flask
    records: Callable[[], Records]
    here: str
    elsewhere: str


@contextmanager
def fill(settings: Settings, tokens: Tokens) -> Iterator[Filled]:
    """The service of these settings, filled; its database is removed at the end."""
    try:
        yield _FILLERS[settings.service](settings, tokens)
    finally:
        connect(settings).client.drop_database(settings.database)


def _enrollment(settings: Settings, tokens: Tokens) -> Filled:
    context = Context(EnrollmentStore(connect(settings)), system_clock, Limits())
    context.store.ensure_indexes()
    programme = Programme(enrollment.api(settings), context, tokens)
    programme.city()
    programme.competency()
    programme.hr.put(f"/v1/units/DISDIK/needs/{SKILL}", {"people": 2, "level": 3}).expect(201)

    def records() -> Records:
        return _enrolled(programme)

    return Filled(settings, programme.app, records, "DISDIK", "DINKES")


def _enrolled(programme: Programme) -> Records:
    """A learner with a supervisor and one above, in a batch and in a proposed pairing with a colleague."""
    chief, boss, own = programme.nip(), programme.nip(), programme.nip()
    head = programme.person(nip=chief)
    supervisor = programme.person(nip=boss, boss=chief)
    learner = programme.person(nip=own, boss=boss)
    guide = programme.person()
    taken_in = programme.take_in("skills", f"NIP;KOMPETENSI;TINGKAT\n{own};{SKILL};4\n")
    approved = programme.hr.post(f"/v1/employees/{learner}/guide-approvals", {"competency": SKILL}).expect(201)
    training = programme.batch()
    participant = programme.nominate(training, learner)
    pairing = programme.propose(guide, learner)
    unit = {"name": "Unit DISDIK", "kind": "agency", "parent": "CITY"}
    places = {
        "units/{code}": "units/DISDIK",
        "competencies/{code}": f"competencies/{SKILL}",
        "{competency}": SKILL,
        "{import_id}": taken_in["id"],
        "{employee_id}": learner,
        "{approval_id}": approved.body["id"],
        "{batch_id}": training,
        "{participant_id}": participant,
        "{pairing_id}": pairing,
        "{number}": "none",
    }
    bodies = {
        "PUT /v1/units/{code}": unit,
        "PUT /v1/units/{code}/needs/{competency}": {"people": 2, "level": 3},
        "PUT /v1/competencies/{code}": {"name": SKILL, "aspect": "technique"},
        "PUT /v1/employees": [{"nip": own, "name": "Budi Santoso", "status": "pns", "unit": "DISDIK"}],
        "POST /v1/employees/search": {"nip": own},
        "POST /v1/employees/{employee_id}/guide-approvals": {"competency": SKILL},
        "POST /v1/batches/{batch_id}/participants": {"employee_id": learner},
        "POST /v1/participants/{participant_id}/transitions": {"to": "withdrawn"},
        "POST /v1/pairings": {
            "kind": "mentoring",
            "guide_id": guide,
            "learner_id": learner,
            "competency": SKILL,
            "target_level": 3,
            "due_on": "2030-12-31",
        },
        "POST /v1/pairings/{pairing_id}/transitions": {"to": "ended"},
        "POST /v1/imports": MULTIPART,
    }
    people = {"learner": learner, "guide": guide, "supervisor": supervisor, "head": head}
    queries = {"POST /v1/imports": ["?kind=units"], "GET /v1/certificates/{number}": ["?code=none"]}
    return Records(places, people, bodies, queries)


def _sessions(settings: Settings, tokens: Tokens) -> Filled:
    world = World(settings, tokens)

    def records() -> Records:
        return _met(world)

    return Filled(settings, world.app, records, "SETDA", "DINKES")


def _met(world: World) -> Records:
    """A confirmed session that the learner's supervisor is asked to endorse."""
    head = world.employee()
    supervisor = world.employee(head)
    guide, learner = world.employee(), world.employee(supervisor)
    written = body(world.pairing(guide, learner), assessed_level=3, private_note="rahasia", summary="surat")
    session = str(uuid4())
    world.by(guide).put(f"/v1/sessions/{session}", written).expect(201)
    world.move(learner, session, "confirmed").expect(200)
    (asked,) = world.by(supervisor).get("/v1/endorsements").body["items"]
    places = {"{session_id}": session, "{endorsement_id}": asked["id"], "{employee_id}": learner}
    bodies = {
        "PUT /v1/sessions/{session_id}": written,
        "POST /v1/sessions/{session_id}/transitions": {"to": "cancelled"},
        "POST /v1/sync": {
            "sessions": [{"id": session, **written}],
            "transitions": [{"id": session, "to": "cancelled"}],
        },
        "POST /v1/endorsements/{endorsement_id}/transitions": {"to": "declined"},
    }
    return Records(places, {"learner": learner, "guide": guide, "supervisor": supervisor, "head": head}, bodies)


def _notifications(settings: Settings, tokens: Tokens) -> Filled:
    del tokens
    store = NotificationsStore(connect(settings))
    store.ensure_indexes()
    service = Service(store, Hands(), LetterBox())
    service.hear(
        told.person(told.GUIDE, "Oliva Situmorang"), told.person(told.LEARNER, "Warji Uyainah"), told.competency()
    )
    service.hear(told.session())
    wishes = {"language": "id", "channels": {}, "quiet": {"from": "18:00", "to": "07:00"}}
    (entry,) = store.entries.find({"employee_id": told.LEARNER})
    (delivery,) = store.deliveries.find({})
    places = {"{entry_id}": entry["_id"], "{delivery_id}": delivery.state.id}
    people = {"learner": told.LEARNER, "guide": told.GUIDE, "supervisor": told.ENDORSER, "head": str(uuid4())}
    records = Records(places, people, {"PUT /v1/preferences": wishes})
    return Filled(settings, notifications.api(settings), lambda: records, "DISDIK", "DINKES")


def _reporting(settings: Settings, tokens: Tokens) -> Filled:
    del tokens
    store = Generations(connect(settings)).begin()
    projection = Projection(store)
    made = city(3, people=12, sessions=60)
    tell(projection, [made.told])
    settle(projection)

    def now() -> datetime:
        return datetime(2017, 5, 10, 3, tzinfo=UTC)

    people = {part: str(uuid4()) for part in ("learner", "guide", "supervisor", "head")}
    asked = ("/v1/kpis", "/v1/kpis/{kpi_id}/series", "/v1/kpis/{kpi_id}/evidence", "/v1/gaps")
    queries = {f"GET {path}": ["", "?unit=A1"] for path in asked}
    records = Records({"{kpi_id}": "reach"}, people, queries=queries)
    return Filled(settings, reporting.api(settings, now), lambda: records, "A1", "D1")


_FILLERS: Mapping[str, Callable[[Settings, Tokens], Filled]] = {
    "enrollment": _enrollment,
    "sessions": _sessions,
    "notifications": _notifications,
    "reporting": _reporting,
}
