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
    told_at = max((each["at"] for each in partitions), default=None)
    since = now
    if behind and last is not None:
        since = last
    elif told_at is not None and now - told_at > SILENT:
        since = told_at
    return {
        "source": topic,
        "last_event_at": last,
        "behind_events": behind,
        "behind_seconds": max(0, int((now - since).total_seconds())),
    }


def newest(partitions: Iterable[Document]) -> datetime | None:
    """When the newest event was recorded that these partitions have told of."""
    return max((each["last_event_at"] for each in partitions if each.get("last_event_at")), default=None)


def as_of(store: Store, now: datetime) -> datetime:
    """The time for which the figures stand: of the newest event taken in; now when there was none yet."""
    return newest(store["progress"].find({}, {"last_event_at": 1})) or now
