"""An event gets another form while everything runs: `at` of an endorsement becomes `assessed_at`.

Releases are told apart by what they send and read: an old publisher knows version 1 alone, so does an old reader.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest

from infra.clock import system_clock, to_wire
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch
from infra.messaging.topics import ensure_topics
from infra.messaging.unsent import resend
from infra.messaging.versions import FIRST, Versions
from infra.storage.mongo import connect
from services.enrollment import app as enrollment
from services.enrollment import reactions
from services.enrollment.context import Context
from services.enrollment.domain.pairings import Limits
from services.enrollment.events import CONSUMED
from services.enrollment.store import Store as Enrollment
from services.notifications.reactions import Reactions
from services.notifications.store import Store as Notifications
from services.sessions.commands.settling import by_system, followed_by
from services.sessions.domain.endorsement import Endorsement
from services.sessions.events import ENDORSEMENT_VERSIONS
from services.sessions.store import Store as Sessions
from tests.component.enrollment.programme import Programme
from tests.component.infra.things import Threads
from tests.conftest import SettingsFor, Tokens
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(600)

OLD, NEW = FIRST, ENDORSEMENT_VERSIONS
WITHDRAWN: Versions = {number: remake for number, remake in NEW.items() if number > 1}
STAGES = (
    (OLD, {1}),
    (OLD, {1, 2}),  # the reader first
    (NEW, {1, 2}),  # then the publisher
    (OLD, {1, 2}),  # the publisher back
    (NEW, {1, 2}),
    (NEW, {1}),  # the reader back
    (NEW, {1, 2}),
)
"""What is sent, and what is read."""
SKILL = "menyusun-surat-dinas"


class City:
    """Sessions publishes; enrollment moves to version 2; notifications goes on reading version 1."""

    def __init__(self, settings_for: SettingsFor, tokens: Tokens) -> None:
        self.settings = {name: settings_for(name) for name in ("enrollment", "sessions", "notifications")}
        ensure_topics(self.settings["sessions"])
        self.sessions = Sessions(connect(self.settings["sessions"]))
        self.enrollment = Enrollment(connect(self.settings["enrollment"]))
        self.notifications = Notifications(connect(self.settings["notifications"]))
        for store in (self.sessions, self.enrollment, self.notifications):
            store.ensure_indexes()
        self._context = Context(self.enrollment, system_clock, Limits())
        self.programme = Programme(enrollment.api(self.settings["enrollment"]), self._context, tokens)
        self.programme.city()
        self.programme.competency()
        self.posted: list[Endorsement] = []

    def post(self) -> None:
        """One more pairing, and the endorsement of what was learnt in it."""
        boss = self.programme.nip()
        guide, learner = self.programme.person(nip=boss), self.programme.person(boss=boss)
        pairing = self.programme.propose(guide, learner)
        self.programme.move("pairings", pairing, "active")
        now = system_clock()
        asked = Endorsement(
            id=str(uuid.uuid4()),
            pairing_id=pairing,
            session_id=str(uuid.uuid4()),
            learner_id=learner,
            guide_id=guide,
            endorser_id=None,
            competency=SKILL,
            level=3,
            state="open",
            at=now - timedelta(days=1, seconds=len(self.posted)),
            opened_at=now,
        )
        opened = by_system("endorsement.opened", now)
        stored = self.sessions.endorsements.insert(asked, opened, extra=followed_by(asked))
        answered = msgspec.structs.replace(asked, state="endorsed", decided_at=now)
        self.sessions.endorsements.replace(stored, answered, by_system("endorsement.endorsed", now))
        self.posted.append(answered)

    def publisher(self, versions: Versions) -> Relay:
        """The relay of a release that sends these versions."""
        store = Sessions(self.sessions.database)
        store.endorsements.versions = versions
        return Relay(self.settings["sessions"], store.database, store.aggregates, system_clock)

    def reader(self, versions: set[int]) -> Consumer:
        """Enrollment's consumer in a release that reads these versions."""
        subscriptions = [each for each in reactions.subscriptions(self._context) if each.version in versions]
        return Consumer(self.settings["enrollment"], "enrollment", CONSUMED, dispatch(subscriptions), system_clock)

    def other_reader(self) -> Consumer:
        """Notifications as it is: it reads version 1."""
        told = Reactions(self.notifications, system_clock, timedelta(0)).subscriptions()
        return Consumer(self.settings["notifications"], "notifications", CONSUMED, dispatch(told), system_clock)

    def listener(self, got: set[tuple[str, int]]) -> Consumer:
        """Puts down the id and version of all that is sent."""

        def note(events: list[Event]) -> None:
            got.update((event.id, event.version) for event in events)

        return Consumer(self.settings["enrollment"], "listener", CONSUMED, note, system_clock)

    def advance(self) -> None:
        """Returns when some more were posted, and enrollment has heard of all until then."""
        goal = len(self.posted) + 3
        eventually(lambda: len(self.posted) > goal)
        self.settle(goal)

    def settle(self, goal: int | None = None) -> None:
        """Returns when enrollment has heard of the first so many that were posted, or of all."""
        reached = self.posted[:goal]
        eventually(lambda: self.completed(reached), interval=0.1)

    def completed(self, posted: list[Endorsement]) -> bool:
        """Whether enrollment has heard of all these."""
        ids = [each.pairing_id for each in posted]
        done = {"_id": {"$in": ids}, "state": "completed"}
        return self.enrollment.pairings.collection.count_documents(done) == len(ids)

    def recount(self) -> None:
        """Each learner has the level once, since the assessed session; each pairing was completed once."""
        for each in self.posted:
            person = self.programme.hr.get(f"/v1/employees/{each.learner_id}").expect(200).body
            assert [(skill["level"], skill["since"]) for skill in person["skills"]] == [(3, to_wire(each.at))]
            changes = self.enrollment.employees.activity(each.learner_id)
            assert [change["what"] for change in changes] == ["employee.created", "employee.changed"]
            steps = Counter(step["what"] for step in self.enrollment.pairings.activity(each.pairing_id))
            assert steps["pairing.completed"] == 1

    def told(self) -> Counter[str]:
        """How often each learner was told of a mastery."""
        return Counter(row["employee_id"] for row in self.notifications.entries.find({"kind": "mastered"}))


@contextmanager
def posting(city: City) -> Iterator[None]:
    """People go on posting for the length of the block."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            city.post()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def city(settings_for: SettingsFor, tokens: Tokens) -> City:
    return City(settings_for, tokens)


def test_an_event_changes_while_it_runs(city: City) -> None:
    """Reader, then publisher, each taken back once, while people post: nothing is lost, nothing counts twice."""
    got: set[tuple[str, int]] = set()
    with running(Threads(city.other_reader(), city.listener(got))):
        with posting(city):
            for sent, read in STAGES:
                with running(Threads(city.publisher(sent), city.reader(read))):
                    city.advance()
        with running(Threads(city.publisher(NEW), city.reader({1, 2}))):
            city.settle()
            eventually(lambda: len(ids_of(got, 1)) == 2 * len(city.posted))
            eventually(lambda: len(city.told()) == len(city.posted), interval=0.1)
    assert set() < ids_of(got, 2) < ids_of(got, 1)
    city.recount()
    assert set(city.told().values()) == {1}


def test_what_was_stored_before_is_sent_in_the_new_version_too(city: City) -> None:
    """Who reads version 2 alone is filled by a re-send; version 1 can be withdrawn, and nobody counts again."""
    got: set[tuple[str, int]] = set()
    with running(Threads(city.listener(got), city.reader({1, 2}))):
        with running(Threads(city.publisher(OLD))):
            for _ in range(3):
                city.post()
            city.settle()
            eventually(lambda: len(ids_of(got, 1)) == 6)
        assert not ids_of(got, 2)
        with running(Threads(city.publisher(WITHDRAWN))):
            city.post()
            resend(city.sessions.endorsements, {}, system_clock)
            city.settle()
            eventually(lambda: len(ids_of(got, 2)) == 8)
    assert ids_of(got, 1) < ids_of(got, 2)
    city.recount()


def ids_of(got: set[tuple[str, int]], version: int) -> set[str]:
    """The events that were sent in this version."""
    return {id_ for id_, sent in got.copy() if sent == version}
