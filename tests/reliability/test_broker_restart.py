"""The broker loses everything it had; nothing that was accepted is lost with it."""

import threading
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from infra.clock import system_clock
from infra.local.broker import EmbeddedBroker
from infra.messaging import kafka
from infra.messaging.cluster import sends_once_more
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch, on
from infra.messaging.topics import partitions_of
from infra.settings import Settings
from infra.storage.copies import Copies
from infra.storage.mongo import connect
from tests.component.infra.things import Thing, Threads, change, things
from tests.conftest import SettingsFor
from tests.support import eventually, running


class Seen(msgspec.Struct, frozen=True):
    colour: str


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker of this test's own, since it is going to die."""
    with EmbeddedBroker() as one:
        yield one


def read_all(settings: Settings, topic: str) -> list[tuple[str, bytes]]:
    """Everything of a topic: the key of each event, and its id."""
    records = kafka.records(settings, *partitions_of(settings, topic))
    return [(record.key.decode(), dict(record.headers)["ce_id"]) for record in records]


def test_an_empty_broker_is_filled_twice(settings_for: SettingsFor, broker: EmbeddedBroker) -> None:
    """What came ahead of the topics may hide what follows it there, so all is sent once more, and then no more."""
    settings = settings_for("enrollment", kafka_bootstrap=broker.address, broker_profile="embedded")
    database = connect(settings)
    repository = things(database)
    with running(Threads(Relay(settings, database, [repository], system_clock))):
        for name in "abc":
            repository.insert(Thing(id=name, colour="red", owner=name), change("made"))
        eventually(lambda: database["things"].count_documents({"sent": 1}) == 3)
        broker.start()
        broker.wait_ready()
        eventually(lambda: sends_once_more(database))
        eventually(lambda: not sends_once_more(database))
        eventually(lambda: database["things"].count_documents({"sent": 1}) == 3)
    times = Counter(read_all(settings, "enrollment.events"))
    assert sorted(key for key, _ in times) == ["a", "b", "c"]
    assert set(times.values()) == {2}


def test_an_empty_broker_is_filled_again(settings_for: SettingsFor, broker: EmbeddedBroker) -> None:
    """Relay and consumer run on while the broker is replaced by an empty one: old and new changes arrive."""
    settings = settings_for("enrollment", kafka_bootstrap=broker.address, broker_profile="embedded")
    database = connect(settings)
    repository = things(database)
    copies = Copies(database["copies"])
    seen: list[tuple[str, int]] = []
    lock = threading.Lock()

    def copy(batch: list[tuple[Event, Seen]]) -> None:
        with lock:
            seen.extend((event.subject, event.seq) for event, _ in batch)
        copies.apply(batch, lambda event, data: {"colour": data.colour})

    consumer = Consumer(
        settings, "readers", ["enrollment.events"], dispatch([on("thing", Seen, copy)]), system_clock
    )
    with running(Threads(Relay(settings, database, [repository], system_clock), consumer)):
        first = repository.insert(Thing(id="a", colour="red"), change("made"))
        eventually(lambda: ("a", 1) in seen)
        broker.process.kill()
        repository.insert(Thing(id="b", colour="red"), change("made"))
        broker.start()
        broker.wait_ready()
        repository.replace(first, Thing(id="a", colour="blue"), change("painted"))
        eventually(lambda: {("b", 1), ("a", 2)} <= set(seen) and seen.count(("a", 1)) >= 2)
    assert {row["_id"]: row["colour"] for row in database["copies"].find()} == {"a": "blue", "b": "red"}
