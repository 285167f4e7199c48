"""How a service stands: leases, what waits to be published or handled, what was set aside, timers."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from kafka.errors import KafkaError
from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.messaging import deadletters
from infra.messaging.lag import places_of
from infra.messaging.unsent import waiting
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import Document

Row = tuple[str, ...]

NAMES = {"bulk": "imports and replays"}
"""Of lanes that are called otherwise among those who look after the system."""


class Table(msgspec.Struct, frozen=True):
    """One matter: a title, the heads of its columns, the rows. trouble: why it could not be looked at."""

    title: str
    heads: Row
    rows: Sequence[Row]
    trouble: str | None = None


def status_of(
    settings: Settings,
    database: Database[Document],
    aggregates: Sequence[Aggregates[Any]],
    groups: Iterable[str],
    clock: Clock,
) -> list[Table]:
    """All matters of one service; one that can't be looked at says so, and the others are shown."""
    each_group = list(groups)
    return [
        table("leases", ("lease", "holder", "for"), lambda: _leases(database)),
        table("waiting to be published", ("collection", "lane", "documents"), lambda: _unsent(aggregates)),
        table(
            "consumers",
            ("group", "topic", "partition", "handled to", "end", "behind"),
            lambda: _lag(settings, each_group),
        ),
        table("dead letters", ("group", "kept"), lambda: _letters(settings, each_group)),
        table("timers", ("kind", "due", "later", "next"), lambda: _timers(database, clock)),
    ]


def as_text(service: str, tables: Iterable[Table]) -> str:
    """The tables for a terminal."""
    lines = [service]
    for table in tables:
        lines.append(f"  {table.title}" + ("" if table.rows or table.trouble else ": none"))
        if table.trouble:
            lines.append(f"    can't be told: {table.trouble}")
        if table.rows:
            widths = [max(map(len, column)) for column in zip(table.heads, *table.rows, strict=True)]
            for row in (table.heads, *table.rows):
                cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                lines.append(f"    {'  '.join(cells)}".rstrip())
    return "\n".join(lines)


def table(title: str, heads: Row, rows: Callable[[], list[Row]]) -> Table:
    """The matter as it is looked at now, or why it can't be."""
    try:
        return Table(title, heads, rows())
    except (KafkaError, PyMongoError, OSError) as error:
        return Table(title, heads, [], type(error).__name__)


def _leases(database: Database[Document]) -> list[Row]:
    """By the database's clock, which is the one that decides."""
    left = {"$project": {"owner": 1, "left": {"$subtract": ["$until", "$$NOW"]}}}
    return [
        (row["_id"], row["owner"] or "nobody", f"{row['left'] / 1000:.0f} s")
        if row["left"] > 0
        else (row["_id"], "nobody", "")
        for row in database["leases"].aggregate([left, {"$sort": {"_id": 1}}])
    ]


def _unsent(aggregates: Sequence[Aggregates[Any]]) -> list[Row]:
    return [
        (each.collection.name, NAMES.get(lane, lane), str(count))
        for each in aggregates
        for lane, count in waiting(each).items()
        if count
    ]


def _lag(settings: Settings, groups: Iterable[str]) -> list[Row]:
    return [
        (group, place.topic, str(place.partition), str(place.committed), str(place.end), str(place.behind))
        for group in groups
        for place in places_of(settings, group)
    ]


def _letters(settings: Settings, groups: Iterable[str]) -> list[Row]:
    counts = {group: sum(1 for _ in deadletters.read_all(settings, group)) for group in groups}
    return [(group, str(count)) for group, count in counts.items() if count]


def _timers(database: Database[Document], clock: Clock) -> list[Row]:
    now = clock()
    counted = {
        "_id": "$kind",
        "due": {"$sum": {"$cond": [{"$lte": ["$at", now]}, 1, 0]}},
        "all": {"$sum": 1},
        "next": {"$min": "$at"},
    }
    rows = database["timers"].aggregate([{"$group": counted}, {"$sort": {"_id": 1}}])
    return [
        (row["_id"], str(row["due"]), str(row["all"] - row["due"]), _distance(row["next"] - now)) for row in rows
    ]


def _distance(until: timedelta) -> str:
    """`in 2 days, 3:04:05`, or `3 s late`."""
    if until < timedelta():
        return f"{-until.total_seconds():.0f} s late"
    return f"in {timedelta(seconds=int(until.total_seconds()))}"
