"""A replica set of three loses its primary under load: what was acknowledged stays, no ghost is published."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from infra.clock import system_clock
from infra.messaging import kafka
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.unsent import UNSENT
from infra.storage.aggregates import Aggregates, Exists
from infra.storage.mongo import connect
from tests.component.infra.test_messaging import consumer
from tests.component.infra.things import Thing, Threads, change, things
from tests.conftest import SettingsFor
from tests.reliability.replica_set import ReplicaSet
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(300)
WRITERS, BEFORE, AFTER = 4, 300, 600


@pytest.fixture
def members() -> Iterator[ReplicaSet]:
    with ReplicaSet() as members:
        yield members


class Load:
    """Inserts things from several threads, each new one after the answer to the one before."""

    def __init__(self, repository: Aggregates[Thing]) -> None:
        self._repository = repository
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        self.acknowledged: set[str] = set()
        self.failed: set[str] = set()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            id_ = f"{writer}-{number}"
            try:
                self._repository.insert(Thing(id=id_, colour="red"), change("made"))
                self.acknowledged.add(id_)
            except (PyMongoError, Exists):
                # Not answered, or answered after a repeat: it may be there or not.
                self.failed.add(id_)


def test_the_primary_dies_under_load(members: ReplicaSet, settings_for: SettingsFor, tmp_path: Path) -> None:
    """Twice, and the dead one comes back: all that was acknowledged is stored and published, and nothing else."""
    settings = settings_for("enrollment", mongodb_uri=members.address)
    database = connect(settings)
    repository = things(database)
    published: list[Event] = []
    load = Load(repository)
    relay = Relay(settings, database, [repository], system_clock)
    reader = consumer(settings, lambda _, events: published.extend(events))
    with running(Threads(relay, reader)):
        with running(load):
            eventually(lambda: len(load.acknowledged) > BEFORE, timeout=60)
            members.kill(dead := members.primary())
            eventually(lambda: len(load.acknowledged) > BEFORE + AFTER, timeout=90)
            members.start_again(dead)
            members.kill(members.primary())
            eventually(lambda: len(load.acknowledged) > BEFORE + 2 * AFTER, timeout=90)
        eventually(lambda: repository.collection.count_documents(UNSENT) == 0, timeout=60)
        stored = {document["_id"] for document in repository.collection.find({}, {"_id": 1})}
        eventually(lambda: stored <= {event.subject for event in published}, timeout=60)
    assert load.acknowledged <= stored
    assert {event.subject for event in published} <= stored
    assert stored <= load.acknowledged | load.failed
    assert kafka.cluster_id(settings)
