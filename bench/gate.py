"""A Kafka consumer with partitions of its own, which reads nothing before the word.

The partitions are given, not shared out by a group: how long workers take to join, and whether one is thrown out
where all cores are in use, is no part of what is measured. Offsets are committed to the group as ever.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from bench.lane import Stint, tell, wait_for_go
from infra.messaging import kafka

LONGEST_SECONDS = 120


class Gate:
    """Shared by a consumer and who waits for it.

    mine: the partitions that it has of each topic. counts: records in each partition of the one topic that is not
    empty; when those of its partitions are read and committed, it is done.
    """

    def __init__(self, mine: Sequence[int], counts: Sequence[int]) -> None:
        self.mine = mine
        self.expected = sum(counts[partition] for partition in mine)
        self.settled = threading.Event()
        self.word = threading.Event()
        self.done = threading.Event()
        self.began = self.ended = 0.0
        self.records = 0

    def install(self) -> None:
        """Makes our consumers of this process gated ones."""
        gate = self

        class Gated(KafkaConsumer):  # type: ignore[misc]
            """The consumer, which tells the gate what it does."""

            def subscribe(self, topics: Sequence[str] = (), **_: Any) -> None:
                self.assign([TopicPartition(topic, partition) for topic in topics for partition in gate.mine])

            def poll(self, *args: Any, **options: Any) -> dict[Any, list[Any]]:
                if not gate.word.is_set():
                    self.pause(*self.assignment())
                    super().poll(timeout_ms=50)
                    gate.settled.set()
                    return {}
                if not gate.began:
                    gate.began = time.monotonic()
                    self.resume(*self.assignment())
                batches: dict[Any, list[Any]] = super().poll(*args, **options)
                gate.records += sum(map(len, batches.values()))
                return batches

            def commit(self, *args: Any, **options: Any) -> Any:
                done = super().commit(*args, **options)
                gate.ended = time.monotonic()
                if gate.records >= gate.expected:
                    gate.done.set()
                return done

        setattr(kafka, "KafkaConsumer", Gated)  # noqa: B010 - put in place of the one that it is made of

    def pass_through(self) -> None:
        """Tells the parent when the consumer is settled, opens on the word, and tells what was read by the end."""
        self.settled.wait()
        tell("ready")
        wait_for_go()
        self.word.set()
        self.done.wait(LONGEST_SECONDS)
        tell(Stint(self.records, self.began, self.ended))
