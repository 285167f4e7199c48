"""Offsets that the embedded broker leaves out for a moment.

When two producers write to one partition at once (a relay and the one that takes over from it, say), that broker
may show the later batch before the earlier one is there: a plain consumer at the end of the log missed 2 to 6 of
8,000 records. Whoever reads on never sees them. So a reader of that broker goes back to an offset that is missing.
Apache Kafka shows nothing behind what is not there yet, and has offsets that carry no record.
"""

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

PATIENCE_SECONDS = 2.0
"""How long an offset is waited for; a record that failed to be written leaves one that never comes."""

Batches = dict[TopicPartition, list[Any]]


class Gaps:
    """What one consumer has read of each partition. `now` gives seconds, for tests."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next: dict[TopicPartition, int] = {}
        self._missed: dict[tuple[TopicPartition, int], float] = {}

    def cut(self, consumer: KafkaConsumer, batches: Batches) -> Batches:
        """The batches up to a first missing offset, to which the consumer goes back.

        A partition that was elsewhere meanwhile looks as if there were a gap: some of it is read twice then.
        """
        whole: Batches = {}
        for place, records in batches.items():
            expected = self._next.get(place, records[0].offset)
            kept = []
            for record in records:
                if record.offset > expected and self._wait_for(place, expected):
                    consumer.seek(place, expected)
                    break
                kept.append(record)
                expected = record.offset + 1
            self._next[place] = expected
            if kept:
                whole[place] = kept
        return whole

    def _wait_for(self, place: TopicPartition, offset: int) -> bool:
        since = self._missed.setdefault((place, offset), self._now())
        return self._now() - since < PATIENCE_SECONDS
