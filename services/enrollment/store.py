"""Collections, indexes and queries of enrollment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from infra.storage.aggregates import Aggregates, Stored
from infra.storage.mongo import Document, patient
from infra.storage.timers import Timers

from . import events
from .domain.batches import Batch
from .domain.competencies import Competency, Need
from .domain.employees import Employee
from .domain.guides import Approval, Standing
from .domain.pairings import Pairing
from .domain.participants import Participant, Seats
from .domain.units import Tree, Unit

REJECTS_KEPT_SECONDS = 30 * 24 * 3600
"""How long the rejected rows of an import can be fetched: they hold personal data."""


class Store:
    """The database of enrollment; every method is one query or a few."""

    def __init__(self, database: Database[Document]) -> None:
        self.database = database
        topic = events.TOPIC
        self.units = Aggregates(database["units"], Unit, topic=topic, public=events.unit)
        self.employees = Aggregates(database["employees"], Employee, topic=topic, public=events.employee)
        self.competencies = Aggregates(database["competencies"], Competency, topic=topic, public=events.competency)
        self.needs = Aggregates(database["needs"], Need, topic=topic, public=events.need)
        self.batches = Aggregates(database["batches"], Batch, topic=topic, public=events.batch)
        self.participants = Aggregates(
            database["participants"], Participant, topic=topic, public=events.participant
        )
        self.approvals = Aggregates(database["approvals"], Approval, topic=topic, public=events.approval)
        self.pairings = Aggregates(
            database["pairings"], Pairing, topic=topic, public=events.pairing, key=lambda one: one.learner_id
        )
        self.imports: Collection[Document] = database["imports"]
        self.import_files: Collection[Document] = database["import_files"]
        self.rejects: Collection[Document] = database["import_rejects"]
        self.counters: Collection[Document] = database["counters"]
        self.timers = Timers(database)

    @property
    def aggregates(self) -> Sequence[Aggregates[Any]]:
        """All that publishes events."""
        return (
            self.units,
            self.employees,
            self.competencies,
            self.needs,
            self.batches,
            self.participants,
            self.approvals,
            self.pairings,
        )

    @patient
    def ensure_indexes(self) -> None:
        """Makes all indexes; safe to repeat."""
        for aggregates in self.aggregates:
            aggregates.ensure_indexes()
        self.timers.ensure_indexes()
        people = self.employees.collection
        people.create_index("nip", unique=True)
        people.create_index([("unit", 1), ("_id", 1)])
        people.create_index("words")
        people.create_index("supervisor_id")
        self.needs.collection.create_index([("unit", 1), ("competency", 1)])
        taking = self.participants.collection
        taking.create_index([("batch_id", 1), ("state", 1), ("nominated_at", 1), ("recorded_at", 1), ("_id", 1)])
        taking.create_index([("batch_id", 1), ("nominated_at", 1), ("recorded_at", 1), ("_id", 1)])
        taking.create_index("employee_id")
        taking.create_index(
            "certificate.number", unique=True, partialFilterExpression={"certificate.number": {"$exists": True}}
        )
        self.approvals.collection.create_index("employee_id")
        pairs = self.pairings.collection
        pairs.create_index([("guide_id", 1), ("state", 1)])
        pairs.create_index([("learner_id", 1), ("state", 1)])
        pairs.create_index([("state", 1), ("due_on", 1)])
        pairs.create_index([("due_on", 1), ("_id", 1)])
        self.imports.create_index([("state", 1), ("created_at", 1)])
        self.rejects.create_index([("import_id", 1), ("row", 1)])
        self.rejects.create_index("at", expireAfterSeconds=REJECTS_KEPT_SECONDS)

    # --- units

    def all_units(self, session: ClientSession | None = None) -> dict[str, Stored[Unit]]:
        """Every unit by code: a city has some hundreds."""
        return {stored.state.id: stored for stored in self.units.find({}, session=session)}

    def tree(self, instant: datetime, session: ClientSession | None = None) -> Tree:
        """The organisation as it stood."""
        return Tree((stored.state for stored in self.all_units(session).values()), instant)

    def unit_in_use(self, code: str, since: datetime, session: ClientSession) -> bool:
        """Whether active people or active units are in the unit at `since` or later."""
        if any(
            one.state.now.parent == code and one.state.now.state == "active" for one in self._below(code, session)
        ):
            return True
        return bool(self.occupied({code: since}, session))

    def occupied(self, since: Mapping[str, datetime], session: ClientSession | None) -> set[str]:
        """Those of the units in which somebody is active at the instant given for it, or later."""
        people = [
            one.state for one in self.employees.find({"history.unit": {"$in": list(since)}}, session=session)
        ]
        return {
            code
            for one in people
            for code in since.keys() & {placement.unit for placement in one.history}
            if _in_unit(one, code, since[code])
        }

    def _below(self, code: str, session: ClientSession) -> list[Stored[Unit]]:
        return self.units.find({"history.parent": code}, session=session)

    # --- people

    def by_nip(self, nips: Iterable[str], session: ClientSession | None = None) -> dict[str, Stored[Employee]]:
        """Those of the NIPs that are known."""
        found = self.employees.find({"nip": {"$in": list(nips)}}, session=session)
        return {stored.state.nip: stored for stored in found}

    def supervisors(self, session: ClientSession | None = None) -> dict[str, str | None]:
        """Employee id to supervisor id, of everybody."""
        rows = self.employees.collection.find({}, {"supervisor_id": 1}, session=session)
        return {row["_id"]: row["supervisor_id"] for row in rows}

    def with_supervisors(self, ids: Iterable[str], session: ClientSession | None = None) -> dict[str, Employee]:
        """These employees and all who ever were above them, level by level."""
        found: dict[str, Employee] = {}
        wanted = set(ids)
        while wanted:
            people = [stored.state for stored in self.employees.many(wanted, session).values()]
            found.update((person.id, person) for person in people)
            above = {placement.supervisor_id for person in people for placement in person.history}
            wanted = {id_ for id_ in above if id_ is not None and id_ not in found}
        return found

    def reports(self, supervisor_id: str) -> frozenset[str]:
        """Ids of the direct and indirect reports."""
        found: set[str] = set()
        level = {supervisor_id}
        while level:
            rows = self.employees.collection.find({"supervisor_id": {"$in": list(level)}}, {"_id": 1})
            level = {row["_id"] for row in rows} - found - {supervisor_id}
            found |= level
        return frozenset(found)

    def with_reports(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these have an active direct report."""
        query = {"supervisor_id": {"$in": list(ids)}, "active": True}
        return frozenset(self.employees.collection.distinct("supervisor_id", query))

    def people_of(self, units: Iterable[str]) -> list[str]:
        """Ids of all who are in these units now, active or not."""
        rows = self.employees.collection.find({"unit": {"$in": list(units)}}, {"_id": 1})
        return [row["_id"] for row in rows]

    def standings(
        self, people: Mapping[str, Employee], session: ClientSession | None = None
    ) -> dict[str, Standing]:
        """What makes each of these a guide."""
        certified: dict[str, list[datetime]] = {}
        query = {"employee_id": {"$in": list(people)}}
        rows = self.participants.collection.find(
            {**query, "state": "certified"}, {"employee_id": 1, "certified_at": 1}, session=session
        )
        for row in rows:
            certified.setdefault(row["employee_id"], []).append(row["certified_at"])
        approved: dict[str, list[Approval]] = {}
        for stored in self.approvals.find(query, session=session):
            approved.setdefault(stored.state.employee_id, []).append(stored.state)
        return {
            id_: Standing(employee=person, certified_at=certified.get(id_, ()), approvals=approved.get(id_, ()))
            for id_, person in people.items()
        }

    def representatives(self) -> frozenset[str]:
        """Ids of all who were ever certified."""
        return frozenset(self.participants.collection.distinct("employee_id", {"state": "certified"}))

    def leading(self) -> frozenset[str]:
        """Ids of all who have an active direct report."""
        return frozenset(self.employees.collection.distinct("supervisor_id", {"active": True})) - {None}

    def levels(self, units: Iterable[str]) -> dict[tuple[str, str], dict[int, int]]:
        """(unit, competency) -> level -> active people of that very unit exactly at it."""
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"unit": {"$in": list(units)}, "active": True}},
            {"$unwind": "$levels"},
            {"$group": {"_id": ["$unit", "$levels.competency", "$levels.level"], "people": {"$sum": 1}}},
        ]
        found: dict[tuple[str, str], dict[int, int]] = {}
        for row in self.employees.collection.aggregate(pipeline):
            unit, competency, level = row["_id"]
            found.setdefault((unit, competency), {})[level] = row["people"]
        return found

    # --- batches

    def in_state(self, batch_id: str, state: str, session: ClientSession) -> list[str]:
        """The seat units of all participants of a batch who are in this state."""
        query = {"batch_id": batch_id, "state": state}
        return [row["unit"] for row in self.participants.collection.find(query, {"unit": 1}, session=session)]

    def seats(self, batch_id: str, session: ClientSession) -> Seats:
        """The accepted of a batch by unit."""
        return Seats.of(self.in_state(batch_id, "accepted", session))

    def waiting(self, batch_id: str, session: ClientSession | None = None) -> list[Stored[Participant]]:
        """The waiting list of a batch, first in line first."""
        line = [("nominated_at", 1), ("recorded_at", 1), ("_id", 1)]
        return self.participants.find({"batch_id": batch_id, "state": "waitlisted"}, sort=line, session=session)

    def line(self, batch_id: str) -> list[str]:
        """Ids on the waiting list of a batch, first in line first."""
        order = [("nominated_at", 1), ("recorded_at", 1), ("_id", 1)]
        query = {"batch_id": batch_id, "state": "waitlisted"}
        return [row["_id"] for row in self.participants.collection.find(query, {"_id": 1}).sort(order)]

    def counts(self, batch_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Batch -> state -> people now in it."""
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"batch_id": {"$in": list(batch_ids)}}},
            {"$group": {"_id": ["$batch_id", "$state"], "people": {"$sum": 1}}},
        ]
        found: dict[str, dict[str, int]] = {}
        for row in self.participants.collection.aggregate(pipeline):
            batch_id, state = row["_id"]
            found.setdefault(batch_id, {})[state] = row["people"]
        return found

    def next_number(self, counter: str, session: ClientSession) -> int:
        """The next of a series without holes; inside a transaction only."""
        self.counters.update_one({"_id": counter}, {"$inc": {"last": 1}}, upsert=True, session=session)
        row = self.counters.find_one({"_id": counter}, session=session)
        return int(row["last"]) if row else 0


def _in_unit(employee: Employee, code: str, since: datetime) -> bool:
    """Whether the person is active in the unit at `since` or later."""
    now = employee.at(since)
    later = [placement for placement in employee.history if placement.since > since]
    return any(placement.unit == code and placement.active for placement in (now, *later) if placement)


def employee_fields(employee: Employee) -> dict[str, Any]:
    """The derived fields of an employee by which lists are found: no part of the state."""
    now = employee.now
    return {
        "unit": now.unit,
        "active": now.active,
        "supervisor_id": now.supervisor_id,
        "words": sorted(set(employee.name.casefold().split())),
        "levels": [
            {"competency": code, "level": skill.level} for code, skill in sorted(employee.levels().items())
        ],
    }
