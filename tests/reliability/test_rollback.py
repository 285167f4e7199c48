"""The primary dies with writes that no other member has: they are rolled back, and were never published."""

from collections.abc import Iterator
from functools import partial

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from infra.clock import system_clock
from infra.messaging import relay as relaying
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.settings import Settings
from infra.storage.aggregates import Stored
from infra.storage.mongo import Document, connect
from tests.component.infra.test_messaging import consumer
from tests.component.infra.things import Thing, Threads, change, things
from tests.conftest import SettingsFor
from tests.reliability.replica_set import ReplicaSet
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(600)
LOOKS = 2
"""The first may have begun before there were ghosts."""

ACKNOWLEDGED = {("early", "red"), ("early", "blue"), ("late", "red")}
GHOSTS = {("early", "ghost"), ("g0", "ghost"), ("g1", "ghost"), ("g2", "ghost")}


@pytest.fixture
def members() -> Iterator[ReplicaSet]:
    """The one that is left stays primary for as long as the test takes, however slow the machine is."""
    with ReplicaSet() as members:
        members.elect_on_demand()
        yield members


@pytest.fixture
def settings(settings_for: SettingsFor, members: ReplicaSet) -> Settings:
    """One partition: whoever has read the last event has read all before it."""
    return settings_for("enrollment", mongodb_uri=members.address, partitions=1)


@pytest.fixture(autouse=True)
def looks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay does nothing but look once it has begun: what it writes now and then would wait for a majority."""
    monkeypatch.setattr(relaying, "LOOK_AROUND_SECONDS", 600.0)
    monkeypatch.setattr(relaying, "LEASE_SECONDS", 1_200.0)


@pytest.mark.parametrize(
    ("concern", "sees_ghosts"), [(None, False), (ReadConcern("local"), True)], ids=["as it reads", "local"]
)
def test_what_is_rolled_back_was_never_published(
    members: ReplicaSet, settings: Settings, concern: ReadConcern | None, *, sees_ghosts: bool
) -> None:
    """The relay looks while they are there, and only its read concern keeps it from seeing them: `local` does."""
    database = connect(settings)
    repository = things(database)
    early = repository.insert(Thing(id="early", colour="red"), change("made"))
    read = database.with_options(read_concern=concern)
    published: list[tuple[str, str]] = []

    def take(events: list[Event]) -> None:
        published.extend((event.subject, event.data["colour"]) for event in events)

    old = members.primary()
    relay = Relay(settings, read, [things(read)], system_clock)
    with members.alone(old) as alone, running(Threads(relay, consumer(settings, take))):
        left = alone[database.name]["things"]
        # A majority has it: what only this one had would keep the relay waiting for those that are killed.
        eventually(lambda: database["things"].count_documents({"sent": 1}) == 1)
        others = members.kill_all_but(old)
        _write_ghosts(database, early)
        looks, rollbacks = _looks(left), _rollbacks(alone)
        eventually(lambda: GHOSTS & set(published) or _looks(left) >= looks + LOOKS)
        assert _stored(left) == GHOSTS
        members.kill(old)

        members.start_again(*others)
        members.elect(others[0])
        eventually(lambda: _takes_writes(database))
        repository.replace(early, Thing(id="early", colour="blue"), change("painted"))
        members.start_again(old)
        eventually(lambda: _rollbacks(alone) > rollbacks)
        repository.insert(Thing(id="late", colour="red"), change("made"))
        for port in (old, *others):
            with members.alone(port) as one:
                eventually(partial(_has_no_ghosts, one[database.name]["things"]))
        eventually(lambda: ("late", "red") in published)
    assert set(published) - GHOSTS == ACKNOWLEDGED
    assert bool(GHOSTS & set(published)) == sees_ghosts


def _write_ghosts(database: Database[Document], early: Stored[Thing]) -> None:
    """A change and new documents, with their events, for which nobody waits to be agreed on by a majority."""
    hasty = things(database.with_options(write_concern=WriteConcern(w=1, j=True)))
    hasty.replace(early, Thing(id=early.state.id, colour="ghost"), change("painted"))
    hasty.insert_many([(Thing(id=id_, colour="ghost"), change("made"), None) for id_ in ("g0", "g1", "g2")])


def _has_no_ghosts(collection: Collection[Document]) -> bool:
    return _stored(collection) == {("early", "blue"), ("late", "red")}


def _stored(collection: Collection[Document]) -> set[tuple[str, str]]:
    """What this member has, whether others have it or not; nothing while it may not be read."""
    try:
        return {(each["_id"], each["colour"]) for each in collection.find()}
    except PyMongoError:
        return set()


def _looks(collection: Collection[Document]) -> int:
    """How often what is unsent was asked for."""
    usage = {each["name"]: each["accesses"] for each in collection.aggregate([{"$indexStats": {}}])}
    return int(usage["unsent"]["ops"])


def _rollbacks(member: MongoClient[Document]) -> int:
    """Grows with each rollback of the member; 0 while it can't be asked."""
    try:
        return int(member.admin.command("replSetGetRBID")["rbid"])
    except PyMongoError:
        return 0


def _takes_writes(database: Database[Document]) -> bool:
    try:
        database["probe"].insert_one({})
    except PyMongoError:
        return False
    return True
