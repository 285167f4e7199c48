"""Collections, indexes and queries."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from bson import Timestamp
from pymongo import IndexModel
from pymongo.client_session import ClientSession
from pymongo.database import Database

from infra.messaging.envelope import Event, derived_id
from infra.storage.aggregates import Aggregates, Stored
from infra.storage.copies import Copies
from infra.storage.mongo import Document, patient
from infra.storage.timers import Timers

from . import events
from .domain.copies import Employee, Pairing, Participation
from .domain.credit import Credit
from .domain.endorsement import Endorsement
from .domain.session import COUNTING, MOST_MINUTES, Session
from .domain.slots import slots_of

HOLDS_SLOTS = {"slots": {"$type": "binData"}}


class Store:
    """Everything that this service keeps: its aggregates, and copies of what enrollment owns."""

    def __init__(self, database: Database[Document]) -> None:
        self.database = database
        self.sessions = Aggregates(
            database["sessions"], Session, topic=events.TOPIC, public=events.session_data, key=events.learner
        )
        self.credits = Aggregates(
            database["credits"], Credit, topic=events.TOPIC, public=events.credit_data, key=events.learner
        )
        self.endorsements = Aggregates(
            database["endorsements"],
            Endorsement,
            topic=events.TOPIC,
            public=events.endorsement_data,
            key=events.learner,
            versions=events.ENDORSEMENT_VERSIONS,
        )
        self.pairings = Copies(database["pairings"])
        self.employees = Copies(database["employees"])
        self.people = Copies(database["people"])
        self.participants = Copies(database["participants"])
        self.batches = Copies(database["batches"])
        self.timers = Timers(database)

    @property
    def aggregates(self) -> Sequence[Aggregates[Any]]:
        """What the relay publishes from."""
        return self.sessions, self.credits, self.endorsements

    @patient
    def ensure_indexes(self) -> None:
        """Makes all indexes; safe to repeat."""
        for aggregates in self.aggregates:
            aggregates.ensure_indexes()
        followed = _index("people", "changed", "_id")
        self.sessions.collection.create_indexes(
            [
                IndexModel("slots", unique=True, partialFilterExpression=HOLDS_SLOTS),
                IndexModel("leaning", partialFilterExpression={"leaning": {"$type": "binData"}}),
                _index("people", "started_at", "_id"),
                _index("started_at", "_id"),
                followed,
            ]
        )
        self.credits.collection.create_indexes(
            [_index("learner_id", "on"), _index("learner_id", "changed", "_id")]
        )
        self.endorsements.collection.create_indexes(
            [
                _index("pairing_id"),
                _index("session_id"),
                _index("opened_at", "_id"),
                IndexModel("state", partialFilterExpression={"state": "open"}),
                followed,
            ]
        )
        self.pairings.collection.create_indexes([_index("learner_id", "_id"), followed])
        self.employees.collection.create_index("supervisor_id")
        self.participants.collection.create_index("batch_id")
        self.timers.ensure_indexes()

    # --- sessions

    def places(self, session: Session, stored: Stored[Session] | None, tx: ClientSession) -> Document:
        """The derived fields of a session under guard of both people: slots that nobody else has.

        Others may have a slot although nobody overlaps by 5 minutes. The session then leans on their slot, and
        they keep it even when they move or are cancelled: whoever comes next still meets somebody in each slot.
        """
        wanted = set(slots_of(session))
        held_by_others = self._named_in("slots", wanted, session.id, tx)
        kept: set[bytes] = set()
        if stored is not None:
            given_up = set(stored.extra.get("slots", ())) - wanted
            kept = self._named_in("leaning", given_up, session.id, tx)
        return {
            "people": list(session.people),
            "slots": sorted((wanted - held_by_others) | kept),
            "leaning": sorted(wanted & held_by_others),
        }

    def _named_in(self, field: str, slots: set[bytes], but: str, tx: ClientSession) -> set[bytes]:
        """Which of the slots other sessions have in the field."""
        if not slots:
            return set()
        query = {field: {"$type": "binData", "$in": list(slots)}, "_id": {"$ne": but}}
        rows = self.sessions.collection.find(query, {field: 1}, session=tx)
        return slots & {slot for row in rows for slot in row[field]}

    def near(self, session: Session, tx: ClientSession | None = None) -> list[Session]:
        """The counting sessions of its people that may overlap it, and some more."""
        window = {"$gt": session.started_at - timedelta(minutes=MOST_MINUTES), "$lt": session.ends_at}
        query = {
            "people": {"$in": list(session.people)},
            "started_at": window,
            "status": {"$in": sorted(COUNTING)},
        }
        return [stored.state for stored in self.sessions.find(query, session=tx)]

    def confirmed(self, learner_id: str, tx: ClientSession | None = None, **more: Any) -> list[Session]:
        """The learner's confirmed sessions; more: further fields to match."""
        query = {"people": learner_id, "learner_id": learner_id, "status": "confirmed", **more}
        return [stored.state for stored in self.sessions.find(query, session=tx)]

    def confirmed_since(self, learners: Iterable[str], since: datetime) -> list[Session]:
        """The confirmed sessions of several learners from an instant on."""
        people = list(learners)
        query = {
            "people": {"$in": people},
            "learner_id": {"$in": people},
            "status": "confirmed",
            "started_at": {"$gte": since},
        }
        return [stored.state for stored in self.sessions.find(query)]

    # --- credits and endorsements

    def credits_by_session(self, sessions: Iterable[Session]) -> dict[str, Credit]:
        """The credit of each session that has one, by the session's id."""
        ids = [credit_id(session.id) for session in sessions if session.status == "confirmed"]
        if not ids:
            return {}
        found = self.credits.many(ids).values()
        return {stored.state.session_id: stored.state for stored in found if stored.state.session_id}

    def credits_of(self, learner_id: str, year: int) -> list[Credit]:
        """The credits of one learner in a year that still stand, by day."""
        query = {"learner_id": learner_id, "on": {"$gte": f"{year:04d}-01-01", "$lte": f"{year:04d}-12-31"}}
        rows = self.credits.find(query, sort=[("on", 1), ("_id", 1)])
        return [stored.state for stored in rows if stored.state.stands]

    def endorsed(self, session_id: str, tx: ClientSession) -> bool:
        """Whether the session's level is endorsed."""
        query = {"session_id": session_id, "state": "endorsed"}
        return self.endorsements.collection.find_one(query, {"_id": 1}, session=tx) is not None

    # --- copies

    def pairing(self, id_: str, tx: ClientSession | None = None) -> Pairing | None:
        """The pairing as enrollment last told it."""
        document = self.pairings.collection.find_one({"_id": id_}, session=tx)
        return read_copy(document, Pairing) if document else None

    def pairings_by_id(self, ids: Iterable[str]) -> dict[str, Pairing]:
        """Those of the pairings that have reached this service."""
        rows = self.pairings.collection.find({"_id": {"$in": list(ids)}})
        return {row["_id"]: read_copy(row, Pairing) for row in rows}

    def pairings_of_learner(self, learner_id: str) -> list[Pairing]:
        """All pairings in which the person is guided."""
        rows = self.pairings.collection.find({"learner_id": learner_id}).sort("_id", 1)
        return [read_copy(row, Pairing) for row in rows]

    def employee(self, id_: str, tx: ClientSession | None = None) -> Employee | None:
        """The employee as enrollment last told it."""
        document = self.employees.collection.find_one({"_id": id_}, session=tx)
        return read_copy(document, Employee) if document else None

    def chain(self, id_: str, now: datetime, tx: ClientSession | None = None) -> list[Employee]:
        """The supervisors above a person, the direct one first.

        Enrollment lets no cycle through, but its events may arrive in an order that looks like one.
        """
        above: dict[str, Employee] = {}
        person = self.employee(id_, tx)
        while person is not None:
            boss_id = person.supervisor_at(now)
            if boss_id is None or boss_id == id_ or boss_id in above:
                break
            person = self.employee(boss_id, tx)
            if person is not None:
                above[boss_id] = person
        return list(above.values())

    def reports(self, supervisor_id: str) -> list[str]:
        """The ids of the people in service whom the person supervises directly."""
        rows = self.employees.collection.find({"supervisor_id": supervisor_id, "in_service": True}, {"_id": 1})
        return [row["_id"] for row in rows.sort("_id", 1)]

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names that are known of these people."""
        rows = self.people.collection.find({"_id": {"$in": list(set(ids))}}, {"name": 1})
        return {row["_id"]: row["name"] for row in rows if row.get("name")}


def _index(*names: str) -> IndexModel:
    return IndexModel([(name, 1) for name in names])


def credit_id(session_id: str) -> str:
    """A session has at most one credit."""
    return derived_id("credit", "session", session_id)


def copy_of_pairing(event: Event, pairing: Pairing | None) -> Mapping[str, Any]:
    """What is kept of a pairing, with what clients are told of its version and times."""
    if pairing is None:
        return {}
    own = {"people": [pairing.guide_id, pairing.learner_id], "changed": Timestamp(0, 0)}
    return _plain(pairing) | own | {"effective_at": event.effective_at, "updated_at": event.time}


def copy_of_employee(_: Event, employee: Employee | None) -> Mapping[str, Any]:
    """What is kept of an employee; the last placement is the present one, since none lies in the future."""
    if employee is None:
        return {}
    last = employee.history[-1] if employee.history else None
    present = {
        "supervisor_id": last.supervisor_id if last else None,
        "in_service": bool(last and last.active),
        "unit": last.unit if last else None,
    }
    return _plain(employee) | present


def copy_of_participant(_: Event, part: Participation | None) -> Mapping[str, Any]:
    """What is kept of a participant."""
    return {} if part is None else _plain(part)


def copy_of_batch(_: Event, batch: events.BatchSeen | None) -> Mapping[str, Any]:
    """What is kept of a batch."""
    return {} if batch is None else {"jp": batch.jp}


def copy_of_person(_: Event, person: events.PersonSeen | None) -> Mapping[str, Any]:
    """What is kept of a person; nothing is left of one who was erased."""
    return {} if person is None else {"name": person.name}


def _plain(struct: msgspec.Struct) -> Document:
    document: Document = msgspec.to_builtins(struct, builtin_types=(datetime,))
    document.pop("id", None)
    return document


C = TypeVar("C", bound=msgspec.Struct)


def read_copy(document: Mapping[str, Any], type_: type[C]) -> C:
    """Turns the document of a copy into its type; further fields are ignored."""
    fields = {**document, "id": document["_id"]}
    return msgspec.convert(fields, type_, builtin_types=(datetime,))
