"""A small aggregate of its own for the tests of storage and messaging."""

from datetime import UTC, datetime

import msgspec
from pymongo.database import Database

from infra.actor import Actor
from infra.storage.aggregates import Aggregates, Change
from infra.storage.mongo import Document

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
