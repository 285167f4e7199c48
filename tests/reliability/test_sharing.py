"""Several workers of reporting share the work, come and go, and are replaced: no figure is off."""

from collections import Counter
from contextlib import ExitStack

import pytest

from infra.clock import system_clock
from infra.messaging.consumer import HANDLED, Consumer
from infra.messaging.envelope import Event
from infra.messaging.topics import full_name
from infra.settings import Settings
from infra.storage.leases import Lease
from infra.storage.mongo import connect
from infra.worker import Worker
from services.reporting.app import rebuild, worker
from services.reporting.events import CONSUMED
from services.reporting.generations import Generations, group_of
from services.reporting.projections import Projection, TreeFollower
from tests.component.infra.things import Threads
from tests.component.reporting.test_worker import agrees, log_of, send
from tests.conftest import SettingsFor
from tests.support import eventually, running
from tests.unit.reporting.world import city

pytestmark = pytest.mark.timeout(240)
PATIENCE = 100


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    return settings_for("reporting")


@pytest.mark.parametrize("count", [2, 4])
def test_workers_share_the_work_without_one_figure_off(settings: Settings, count: int) -> None:
    """All of them count into the same figures, each its own partitions; every number equals the recount."""
    world = city(20 + count, people=12, sessions=60)
    generations = Generations(connect(settings))
    with running(*(worker(settings) for _ in range(count))):
        send(settings, log_of(world))
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)


def test_workers_are_added_and_taken_away_meanwhile(settings: Settings) -> None:
    """The partitions move from one to the other in mid-work; what was handled twice is counted once."""
    world = city(31, people=12, sessions=60)
    events = log_of(world)
    generations = Generations(connect(settings))
    parts = [events[start : start + len(events) // 5 + 1] for start in range(0, len(events), len(events) // 5 + 1)]
    first = worker(settings)
    with ExitStack() as stack:
        stack.enter_context(running(first))
        _work_on(settings, parts[0])
        others = [_started(stack, settings) for _ in range(2)]
        _work_on(settings, parts[1])
        others[0].stop()
        _work_on(settings, parts[2])
        _started(stack, settings)
        _work_on(settings, parts[3])
        first.stop()
        send(settings, parts[4])
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)


def _work_on(settings: Settings, events: list[Event]) -> None:
    """Sends them, and returns when some of them are handled and others perhaps not."""
    before = _handled(settings)
    send(settings, events)
    eventually(lambda: _handled(settings) > before, timeout=PATIENCE)


def _handled(settings: Settings) -> float:
    topics = [full_name(settings, topic) for topic in CONSUMED]
    return sum(
        sample.value
        for metric in HANDLED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["topic"] in topics
    )


def _started(stack: ExitStack, settings: Settings) -> Worker:
    one = worker(settings)
    stack.enter_context(running(one))
    return one


def test_a_new_consumer_is_rebuilt_beside_two_running_ones_and_swapped_in(settings: Settings) -> None:
    """While two workers count on, the next generation is filled from the log; both go over to it."""
    world = city(33, people=12, sessions=60)
    events = log_of(world)
    generations = Generations(connect(settings))
    send(settings, events[: len(events) // 2])
    with running(worker(settings), worker(settings)):
        rebuild(settings)
        assert generations.active() == 2
        send(settings, events[len(events) // 2 :])
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)


def test_what_fails_between_effect_and_commit_is_counted_once(settings: Settings) -> None:
    """The effect is stored, then the worker breaks before the commit, time and again: all comes once more."""
    world = city(34, people=12, sessions=60)
    generations = Generations(connect(settings))
    store = generations.begin()
    projection = Projection(store)
    broken = Counter[int]()

    def handle(partition: int, events: list[Event]) -> None:
        projection.handle(partition, events)
        broken[partition] += 1
        if broken[partition] % 2:
            raise ConnectionError

    follower = TreeFollower(projection, Lease(store.database, "follower"))
    consumer = Consumer(settings, group_of(store.generation), CONSUMED, handle, system_clock)
    send(settings, log_of(world))
    with running(Threads(consumer, follower)):
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)
    assert broken.total() > 10
