"""When a consumer commits: after the effect, and not more often than it is worth."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from kafka import KafkaConsumer
from kafka.errors import RebalanceInProgressError
from kafka.structs import TopicPartition

from infra.clock import system_clock
from infra.messaging import consumer as consumers
from infra.messaging import kafka
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.tries import Tries
from infra.settings import Settings

PLACE = TopicPartition("things.events", 0)
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"a"),
    ("ce_source", b"/things"),
    ("ce_type", b"id.go.tangerangkota.bina.thing.made.v1"),
    ("ce_subject", b"a"),
    ("ce_time", b"2026-05-04T05:00:00.000Z"),
    ("ce_sequence", b"0000000001"),
]
SETTINGS = cast("Settings", SimpleNamespace(broker_profile="kafka", topic_prefix=""))


class Kafka:
    """Gives prepared batches one after another, and notes what was handled by each commit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *batches: list[list[tuple[str, bytes]]]) -> None:
        self.handled = 0
        self.commits: list[int] = []
        self.in_the_way: list[Exception] = []
        self._consumer = Consumer(SETTINGS, "readers", [PLACE.topic], self._handle, system_clock)
        given = iter(batches)
        monkeypatch.setattr(kafka, "poll", lambda *_, **__: self._records(next(given)))
        monkeypatch.setattr(Tries, "_put", lambda *_: None)

    def commit(self) -> None:
        """What a consumer of kafka-python does; fails as often as there is something in the way."""
        if self.in_the_way:
            raise self.in_the_way.pop(0)
        self.commits.append(self.handled)

    def step(self) -> list[int]:
        """The next batch; how many were handled at each commit so far."""
        self._consumer._step(cast("KafkaConsumer", self))
        return self.commits

    def _handle(self, events: list[Event]) -> None:
        self.handled += len(events)

    @staticmethod
    def _records(batch: list[list[tuple[str, bytes]]]) -> dict[TopicPartition, list[Any]]:
        records = [
            SimpleNamespace(headers=headers, key=b"a", value=b"{}", offset=offset, **PLACE._asdict())
            for offset, headers in enumerate(batch)
        ]
        return {PLACE: records} if records else {}


def test_batches_share_a_commit_and_the_last_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """While events come nothing is asked of Kafka for them; when nothing comes all is committed, once."""
    broker = Kafka(monkeypatch, [HEADERS], [HEADERS, HEADERS], [], [])
    assert [list(broker.step()) for _ in range(4)] == [[], [], [3], [3]]


def test_without_a_pause_it_is_committed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy it is: a worker that dies repeats no more than that."""
    monkeypatch.setattr(consumers, "COMMIT_SECONDS", 0.0)
    broker = Kafka(monkeypatch, [HEADERS], [HEADERS])
    assert [list(broker.step()) for _ in range(2)] == [[1], [1, 2]]


def test_what_was_set_aside_is_committed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies before would set it aside again."""
    broker = Kafka(monkeypatch, [HEADERS], [HEADERS, []])
    assert [list(broker.step()) for _ in range(2)] == [[], [2]]


def test_while_partitions_are_shared_out_a_commit_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker stays in its group: who left it would have them shared out a second time."""
    broker = Kafka(monkeypatch, [HEADERS], [], [])
    broker.in_the_way = [RebalanceInProgressError()]
    assert [list(broker.step()) for _ in range(3)] == [[], [], [1]]
