"""Several workers share the work, come and go, and are replaced: no figure is off, no mail is doubled."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from infra.clock import system_clock
from infra.local.mailsink import MailSink
from infra.local.ports import free_port
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
from tests.component.notifications.test_worker import publish, states
from tests.component.reporting.test_worker import agrees, log_of, send
from tests.conftest import SettingsFor
from tests.processes import handled, process_of
from tests.support import eventually, running
from tests.unit.notifications import happenings
from tests.unit.reporting.world import city

pytestmark = pytest.mark.timeout(600)
PATIENCE = 100


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    return settings_for("reporting")


@pytest.mark.parametrize("count", [2, 4])
def test_workers_share_the_work_without_one_figure_off(settings: Settings, count: int) -> None:
    """As many processes count into the same figures, each its own partitions; every number equals the recount."""
    world = city(20 + count, people=12, sessions=60)
    generations = Generations(connect(settings))
    own = _workers(settings, count)
    with running(*(process_of(each, "worker") for each in own)):
        _share(own, lambda: send(settings, log_of(world)))
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)


def test_workers_that_share_the_work_send_no_mail_twice(settings_for: SettingsFor, tmp_path: Path) -> None:
    """Two processes are told of the same sessions, again and again; each learner is asked once to confirm."""
    sink = MailSink(tmp_path / "mails", free_port(), free_port())
    settings = settings_for("notifications", smtp_url=sink.smtp_url)
    learners = [str(uuid4()) for _ in range(20)]
    addresses = [happenings.person(learner, "Warji Uyainah", f"{learner}@example.go.id") for learner in learners]
    story = [*happenings.NAMES, *addresses, *map(_held, learners)]
    own = _workers(settings, 2)
    with running(sink, *(process_of(each, "worker", BINA_MAIL_WINDOW_SECONDS="0.3") for each in own)):
        _share(own, lambda: publish(settings, story))
        eventually(lambda: states(settings) == ["sent"] * len(learners), timeout=PATIENCE)
    asked = Counter(mail.to[0] for mail in sink.mailbox.find(limit=1000))
    assert asked == Counter(f"{learner}@example.go.id" for learner in learners)


def _held(learner: str) -> happenings.Happening:
    """A session that the learner has to confirm."""
    seen = msgspec.structs.replace(happenings.session(id_=str(uuid4()))[1], learner_id=learner)
    return happenings.event("session.held", seen.id, seen, time=datetime.now(UTC).replace(microsecond=0)), seen


def _workers(settings: Settings, count: int) -> list[Settings]:
    """The same, for so many processes beside each other."""
    return [replace(settings, worker_port=free_port()) for _ in range(count)]


def _share(own: list[Settings], tell: Callable[[], None]) -> None:
    """Tells the same story, which may be repeated, until each of the processes has handled some of it."""

    def shared() -> bool:
        tell()
        return all(handled(each) for each in own)

    eventually(shared, timeout=PATIENCE, interval=1)


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


class Stream:
    """Sends events without pause, over and over, and each of them at least once."""

    def __init__(self, settings: Settings, events: list[Event]) -> None:
        self._settings = settings
        self._parts = [events[start : start + 10] for start in range(0, len(events), 10)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.sent = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        for part in cycle(self._parts):
            send(self._settings, part)
            self.sent += 1
            if self._stop.is_set() and self.sent >= len(self._parts):
                break

    def goes_on(self) -> None:
        """Waits until more is sent than there was at the call."""
        before = self.sent
        eventually(lambda: self.sent > before, timeout=PATIENCE)


def test_a_rebuild_is_swapped_in_while_events_keep_coming(settings: Settings) -> None:
    """Before and after, and beside it: two workers count on, the next generation is filled, both go over."""
    world = city(33, people=12, sessions=60)
    generations = Generations(connect(settings))
    stream = Stream(settings, log_of(world))
    with running(worker(settings), worker(settings)):
        eventually(generations.own, timeout=PATIENCE)
        with running(stream):
            stream.goes_on()
            rebuild(settings)
            assert generations.active() == 2
            stream.goes_on()
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)
        assert generations.active() == 2


def test_what_fails_between_effect_and_commit_is_counted_once(settings: Settings) -> None:
    """The effect is stored, then the worker breaks before the commit, time and again: all comes once more."""
    world = city(34, people=12, sessions=60)
    generations = Generations(connect(settings))
    store = generations.begin()
    projection = Projection(store)
    calls: list[int] = []

    def handle(events: list[Event]) -> None:
        projection.handle(events)
        calls.append(len(events))
        if len(calls) % 2:
            raise ConnectionError

    follower = TreeFollower(projection, Lease(store.database, "follower"))
    consumer = Consumer(settings, group_of(store.generation), CONSUMED, handle, system_clock)
    send(settings, log_of(world))
    with running(Threads(consumer, follower)):
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)
    assert len(calls) > 10
