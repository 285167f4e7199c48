"""A small aggregate of its own for the tests of storage and messaging."""

import threading
from datetime import UTC, datetime
from typing import Any

import msgspec
from kafka import KafkaProducer
from pymongo.database import Database

from infra.actor import Actor
from infra.messaging import kafka
from infra.settings import Settings
from infra.storage.aggregates import Aggregates, Change
from infra.storage.mongo import Document
from infra.worker import Part

NOON = datetime(2026, 5, 4, 5, 0, tzinfo=UTC)
SOMEBODY = Actor("somebody")


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Anything with a colour."""

    id: str
    colour: str
    owner: str = "nobody"


def things(database: Database[Document]) -> Aggregates[Thing]:
    """The collection of things, ready to use."""
    made = Aggregates(
        database["things"],
        Thing,
        topic="enrollment.events",
        public=lambda thing: {"id": thing.id, "colour": thing.colour},
        key=lambda thing: thing.owner,
    )
    made.ensure_indexes()
    return made


def change(what: str, at: datetime = NOON) -> Change:
    """A change by somebody, effective when it was recorded."""
    return Change(type=f"thing.{what}", actor=SOMEBODY, at=at, effective_at=at)


def patient_producer(settings: Settings, **options: Any) -> KafkaProducer:
    """As a relay's, but patient: nobody sends again here what was not acknowledged in time.

    Nor does it send again by itself what a busy broker has written, and acknowledges late.
    """
    patience = {"request_timeout_ms": 50_000, "delivery_timeout_ms": 90_000, "max_block_ms": 60_000}
    return kafka.producer(settings, **patience, **options)


class Threads:
    """Runs parts as a worker does, for the length of a block."""

    def __init__(self, *parts: Part) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=part.run, args=(self._stop,)) for part in parts]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "it stops when told to"
