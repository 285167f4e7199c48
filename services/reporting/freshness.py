"""How fresh the figures are: what was read of each topic, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from services.reporting.documents import Document
from services.reporting.events import CONSUMED
from services.reporting.store import Store

SILENT = timedelta(seconds=10)
"""A worker that has told nothing for so long may have stopped: since then something may be missing."""


def sources(store: Store, now: datetime) -> list[dict[str, Any]]:
    """One row a topic: newest event, events not yet read, seconds since when something may be missing."""
    told = list(store["progress"].find())
    return [_source(topic, [each for each in told if each["topic"] == topic], now) for topic in CONSUMED]


def _source(topic: str, partitions: list[Document], now: datetime) -> dict[str, Any]:
    last = newest(partitions)
    behind = sum(each["behind"] for each in partitions)
    since = min((_whole_until(each, now) for each in partitions), default=now)
    return {
        "source": topic,
        "last_event_at": last,
        "behind_events": behind,
        "behind_seconds": max(0, int((now - since).total_seconds())),
    }


def _whole_until(partition: Document, now: datetime) -> datetime:
    """Since when something may be missing in this partition; now when nothing is.

    An event that waits keeps its partition behind while others move; so does a worker that is stuck.
    """
    if not partition["behind"]:
        told_at: datetime = partition["at"]
        return told_at if now - told_at > SILENT else now
    known = [partition[name] for name in ("whole_at", "last_event_at") if partition.get(name)]
    first: datetime = partition.get("first_at", now)
    return max(known, default=first)


def newest(partitions: Iterable[Document]) -> datetime | None:
    """When the newest event was recorded that these partitions have told of."""
    return max((each["last_event_at"] for each in partitions if each.get("last_event_at")), default=None)


def as_of(store: Store, now: datetime) -> datetime:
    """The time for which the figures stand: of the newest event taken in; now when there was none yet."""
    return newest(store["progress"].find({}, {"last_event_at": 1})) or now
