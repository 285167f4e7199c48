"""What a consumer keeps, and what it forgets, when it starts anew: Kafka was away, or is another cluster."""

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kafka.errors import KafkaConnectionError
from kafka.structs import TopicPartition
from prometheus_client import REGISTRY

from infra.clock import system_clock
from infra.messaging import consumer as consumers
from infra.messaging import kafka, topics, tries
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.tries import Tries
from infra.settings import Settings
from tests.unit.infra_messaging.test_consumer import HEADERS, PLACE

SETTINGS = cast("Settings", SimpleNamespace(broker_profile="kafka", topic_prefix="", partitions=1, replication=1))
RECORD = SimpleNamespace(headers=HEADERS, key=b"a", value=b"{}", offset=7, **PLACE._asdict())

Batches = dict[TopicPartition, list[Any]]


class Member:
    """A consumer of kafka-python that has read all but two events."""

    def subscribe(self, topics: list[str]) -> None:
        """There is one."""

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    def highwater(self, _: TopicPartition) -> int:
        return 2

    def position(self, _: TopicPartition, **__: object) -> int:
        return 0

    def seek(self, place: TopicPartition, offset: int) -> None:
        """To what failed."""

    def pause(self, place: TopicPartition) -> None:
        """Which has to wait."""

    def commit(self) -> None:
        """What was set aside is done with."""


class Admin:
    """A cluster in which the topics of others have no leader."""

    def list_topics(self) -> list[str]:
        return [*topics.KEPT, *topics.COMPACTED, PLACE.topic, "readers.dead-letters"]

    def wait_for_topics(self, names: list[str], timeout_ms: int) -> None:
        assert set(names) <= {PLACE.topic, "readers.dead-letters"}, "it would wait in vain"

    def close(self) -> None:
        """Nothing is open."""


class Impatient(threading.Event):
    """Is waited for by nobody."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`run(polls, clusters)`: a consumer reads until there are no more polls, and can handle nothing.

    An error among the polls makes it start anew, at the next of the clusters.
    """

    def run(polls: Sequence[Callable[[], Batches]], clusters: Iterable[str]) -> None:
        stop, left, known = Impatient(), list(polls), iter(clusters)

        def poll(*_: object, **__: object) -> Batches:
            following = left.pop(0)
            if not left:
                stop.set()
            return following()

        def handle(_: list[Event]) -> None:
            raise ValueError

        monkeypatch.setattr(kafka, "cluster_id", lambda _: next(known))
        monkeypatch.setattr(kafka, "poll", poll)
        Consumer(SETTINGS, "readers", [PLACE.topic], handle, system_clock).run(stop)

    monkeypatch.setattr(topics, "admin", lambda _: Admin())
    monkeypatch.setattr(consumers, "end_of", lambda *_: 0)
    monkeypatch.setattr(kafka, "consumer", lambda *_: Member())
    monkeypatch.setattr(kafka, "leave", lambda *_: None)
    return run


def away() -> Batches:
    raise KafkaConnectionError


def bad_event() -> Batches:
    return {PLACE: [RECORD]}


@pytest.mark.parametrize(("clusters", "letters"), [("aa", 1), ("ab", 0), ("aba", 0), ("abb", 1)])
def test_tries_are_counted_within_one_cluster(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch, clusters: str, letters: int
) -> None:
    """Kafka was away: the tries of an event stay used up. In another cluster that offset is another event's."""
    put: list[Any] = []
    monkeypatch.setattr(tries, "TRIES", 2)
    monkeypatch.setattr(Tries, "_put", lambda _, record, *__: put.append(record))
    run([bad_event, away] * len(clusters), clusters)
    assert len(put) == letters


def test_who_reads_nothing_does_not_say_that_it_keeps_up(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lag is told while it reads; while Kafka is away nobody knows it."""
    lags: list[float | None] = []

    def nothing() -> Batches:
        lags.append(lag())
        return {}

    # Between any two looks at the clock it is time to tell.
    monkeypatch.setattr(consumers, "time", SimpleNamespace(monotonic=itertools.count(step=2).__next__))
    run([nothing, nothing, away], "aaaa")
    assert lags == [None, 2]
    assert lag() is None


def test_topics_that_are_not_read_need_no_leader(run: Callable[..., None]) -> None:
    """A partition of which all brokers are away stops those who read or write it."""
    run([away], "a")


def lag() -> float | None:
    return REGISTRY.get_sample_value("bina_consumer_lag", {"group": "readers", "topic": PLACE.topic})
