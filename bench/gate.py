"""A Kafka consumer that joins its group and gets its partitions, but reads nothing before the word.

So neither joining nor the other workers' joining is measured, and nothing is read ahead.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from kafka import KafkaConsumer

from bench.lane import Stint, tell, wait_for_go
from infra.messaging import kafka

LONGEST_SECONDS = 120


class Gate:
    """Shared by a consumer and who waits for it.

    share: how many partitions it must have to be ready. counts: records in each partition of the topic that ends
    with `topic`; when those of its partitions are read and committed, it is done.
    """

    def __init__(self, share: int, topic: str, counts: Sequence[int]) -> None:
        self.share = share
        self._topic, self._counts = topic, counts
        self.expected = 0
        self.settled = threading.Event()
        self.word = threading.Event()
        self.done = threading.Event()
        self.began = self.ended = 0.0
        self.records = 0

    def install(self) -> None:
        """Makes our consumers of this process gated ones."""
        gate = self

        class Gated(KafkaConsumer):  # type: ignore[misc]
            """The consumer, which tells the gate what it does.

            It keeps its partitions for longer when it is silent: with all cores in use nobody shall be thrown out.
            """

            def __init__(self, **options: Any) -> None:
                super().__init__(**{**options, "session_timeout_ms": 10_000, "heartbeat_interval_ms": 1_000})

            def poll(self, *args: Any, **options: Any) -> dict[Any, list[Any]]:
                if not gate.word.is_set():
                    self.pause(*self.assignment())
                    super().poll(timeout_ms=50)
                    if len(self.assignment()) == gate.share:
                        gate.settled.set()
                    return {}
                if not gate.began:
                    gate.begin(self.assignment())
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

    def begin(self, assigned: Iterable[Any]) -> None:
        """The first read comes now."""
        self.began = time.monotonic()
        self.expected = sum(self._counts[one.partition] for one in assigned if one.topic.endswith(self._topic))

    def pass_through(self) -> None:
        """Tells the parent when the consumer is settled, opens on the word, and tells what was read by the end."""
        self.settled.wait()
        # The last member to join makes the others let go of partitions: what they have now may not be final.
        time.sleep(0.5)
        tell("ready")
        wait_for_go()
        self.word.set()
        self.done.wait(LONGEST_SECONDS)
        tell(Stint(self.records, self.began, self.ended))
