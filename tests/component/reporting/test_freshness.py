"""How fresh the figures are, whoever of the workers is stuck, gone, or busy."""

from datetime import UTC, datetime, timedelta

import pytest
from pymongo.database import Database

from infra.clock import system_clock
from infra.messaging.consumer import Progress
from infra.settings import Settings
from infra.storage.mongo import Document
from services.reporting import freshness
from services.reporting.events import CONSUMED
from services.reporting.generations import ProgressNote
from services.reporting.store import Store
from services.reporting.upkeep import Upkeep
from tests.component.infra.things import Threads
from tests.support import eventually, running

BEGIN = datetime(2026, 5, 4, 5, 0, tzinfo=UTC)
TOPIC = CONSUMED[0]
HOUR = 3_600


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def tell(store: Store, seconds: float, behind: dict[int, int], last: float | None = None) -> None:
    """What a worker notes so many seconds after the beginning: of each of its partitions, how far it is behind."""
    told = [
        Progress(
            topic=TOPIC, partition=partition, behind=count, last_event_at=None if last is None else after(last)
        )
        for partition, count in behind.items()
    ]
    ProgressNote(store, lambda: after(seconds)).observe(told)


def stale(store: Store, seconds: float) -> int:
    """Since how many seconds something may be missing, asked so many seconds after the beginning."""
    found: int = freshness.sources(store, after(seconds))[0]["behind_seconds"]
    return found


def test_of_two_workers_one_is_stuck(store: Store) -> None:
    """What the other one tells of its partitions says nothing of those."""
    tell(store, 0, {0: 0, 1: 0})
    tell(store, 0, {2: 0, 3: 0})
    assert stale(store, 1) == 0
    tell(store, HOUR, {0: 0, 1: 0}, last=HOUR)
    assert stale(store, HOUR) == HOUR
    tell(store, HOUR, {0: 3, 1: 0}, last=HOUR)
    assert stale(store, HOUR) == HOUR


def test_a_worker_that_left_is_followed_by_another(store: Store) -> None:
    """The one that takes over its partitions tells of them, too."""
    tell(store, 0, {0: 0, 1: 0})
    tell(store, 0, {2: 0, 3: 0})
    tell(store, HOUR, {0: 0, 1: 0, 2: 0, 3: 0})
    assert stale(store, HOUR + 1) == 0


def test_a_partition_that_waits_while_others_move(store: Store) -> None:
    """Its worker tells of it every second; what is behind the event that waits is missing since then."""
    tell(store, 0, {0: 0, 1: 0}, last=-5)
    tell(store, HOUR, {0: 1})
    tell(store, HOUR, {1: 0}, last=HOUR)
    assert stale(store, HOUR) == HOUR


@pytest.mark.parametrize("last", [None, -HOUR])
def test_a_seldom_partition_is_not_late_as_soon_as_something_comes(store: Store, last: float | None) -> None:
    """Nothing was missing when it was last told of, however old its newest event is."""
    tell(store, 0, {0: 0}, last=last)
    tell(store, 1, {0: 1}, last=last)
    assert stale(store, 2) == 2


def test_a_partition_of_which_nothing_was_ever_read_is_late_since_it_was_told_of(store: Store) -> None:
    """Its first event has to wait, or its worker died before the first one."""
    tell(store, 0, {0: 5})
    tell(store, 9, {0: 5})
    assert stale(store, HOUR) == HOUR


def test_a_busy_partition_is_as_late_as_its_newest_event(store: Store) -> None:
    """Some are always on their way there: when nothing was missing says nothing then."""
    tell(store, 0, {0: 0})
    tell(store, HOUR, {0: 7}, last=HOUR - 3)
    assert stale(store, HOUR) == 3


def test_partitions_of_a_larger_cluster_before_are_forgotten(
    settings: Settings, database: Database[Document], store: Store
) -> None:
    """Nobody will tell of them: figures would be late for ever."""
    tell(store, 0, {0: 0, settings.partitions: 0})
    with running(Threads(Upkeep(settings, database, system_clock))):
        eventually(lambda: store["progress"].find_one({"partition": settings.partitions}) is None)
