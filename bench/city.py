"""The city in reporting: its real units and as many people, and any number of facts about them.

Units and people are taken in by the projection itself, from events; facts by its ledger and store, in portions
that are larger than a consumer's and without reading back, so that a million takes a minute.
"""

import csv
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path

import msgspec
import pymongo
from kafka.partitioner.default import murmur2

from infra.clock import day_of, to_wire
from infra.messaging.envelope import Event
from services.reporting.domain.contributions import SessionFact
from services.reporting.domain.ledger import Ledger
from services.reporting.projections import Projection
from services.reporting.store import Store

DATA = Path(__file__).parents[1] / "demo" / "data"
BEGINNING = datetime(2016, 1, 4, tzinfo=UTC)
FACTS_FROM, FACTS_TO = datetime(2018, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
NEWS_FROM, NEWS_TO = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)
PORTION = 40_000
LONGEST_SECONDS = 120


def units() -> list[dict[str, str]]:
    """The rows of the HR portal's file."""
    with (DATA / "units.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def people() -> dict[str, str]:
    """An id for each row of the HR portal's file of people, and the unit of that row."""
    with (DATA / "employees.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return {str(uuid.uuid5(uuid.NAMESPACE_OID, row["NIP"])): row["UNIT_KERJA"] for row in rows}


@lru_cache(maxsize=10_000)
def shard_of(person: str, partitions: int) -> int:
    """The partition to which Kafka's clients send what concerns the person."""
    return int((murmur2(person.encode()) & 0x7FFFFFFF) % partitions)


def move_in(store: Store, partitions: int) -> None:
    """Makes the store know units and people."""
    store.ensure_indexes()
    projection = Projection(store)
    projection.handle([_unit(row) for row in units()])
    projection.handle([_employee(person, unit, shard_of(person, partitions)) for person, unit in people().items()])


def _unit(row: Mapping[str, str]) -> Event:
    state = {"name": row["name"], "kind": row["kind"], "parent": row["parent"] or None, "state": "active"}
    history = [{"from": to_wire(BEGINNING), **state}]
    return _event("unit.created", row["code"], {"code": row["code"], **state, "history": history})


def _employee(person: str, unit: str, partition: int) -> Event:
    history = [{"from": to_wire(BEGINNING), "unit": unit, "active": True}]
    return _event("employee.created", person, {"id": person, "history": history, "skills": []}, partition)


def _event(type_: str, subject: str, data: object, partition: int = 0) -> Event:
    return Event(
        id=str(uuid.uuid4()),
        source="enrollment",
        type=type_,
        version=1,
        subject=subject,
        seq=1,
        time=BEGINNING,
        effective_at=BEGINNING,
        key=subject,
        body=msgspec.json.encode(data),
        partition=partition,
    )


def instants(count: int, first: datetime, last: datetime) -> Iterator[datetime]:
    """So many instants in their order, at the same distances."""
    step = (last - first) / max(count, 1)
    return (first + n * step for n in range(count))


def store_facts(store: Store, partitions: int, count: int, tick: Callable[[int], object]) -> None:
    """Adds so many confirmed sessions of 2018 to 2025 to a store that knows the people. tick: gets how many."""
    chance, who = random.Random(count), list(people())
    moments = instants(count, FACTS_FROM, FACTS_TO)
    while facts := [_fact(chance, chance.choice(who), moment) for moment in islice(moments, PORTION)]:
        for shard in range(partitions):
            _add(store, shard, [fact for fact in facts if shard_of(fact.person, partitions) == shard])
        tick(len(facts))


def _fact(chance: random.Random, person: str, moment: datetime) -> SessionFact:
    return SessionFact(
        id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        seq=2,
        person=person,
        kind=chance.choice(("coaching", "mentoring")),
        status="confirmed",
        minutes=chance.choice((30, 45, 60, 90)),
        at=moment - timedelta(microseconds=moment.microsecond),
        day=day_of(moment).isoformat(),
    )


def _add(store: Store, shard: int, facts: list[SessionFact]) -> None:
    shards = {fact.person: shard for fact in facts}
    with pymongo.timeout(LONGEST_SECONDS), store.database.client.start_session() as session:
        years = {fact.day[:4] for fact in facts}
        ledger = Ledger(store.people(shards, session, years), ())
        ledger.see_facts(facts)
        store.save(ledger, shards, session)
