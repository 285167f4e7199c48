"""The consumer: gives events to a handler, at least once, and lets nothing be lost or stand in the way.

Steps, in this order: read; handle the events of all partitions together, or in two lots side by side when they
are many; where that fails, handle each partition by itself, and where that fails, in parts, down to single
events; a failure that may pass pauses that partition (others go on) and is tried again with growing pauses; one
that can't pass, or whose tries are used up, goes to the dead letters; where these can't be written, the partition
waits; then, twice a second and whenever nothing comes, the offsets are committed, after the effect.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec
from kafka import KafkaConsumer
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError
from kafka.structs import TopicPartition
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.messaging import deadletters, kafka
from infra.messaging.envelope import Event, decode
from infra.messaging.gaps import Gaps
from infra.messaging.lag import end_of
from infra.messaging.subscription import BatchHandler
from infra.messaging.topics import dead_letters_of, ensure_topics, full_name
from infra.messaging.tries import Tries
from infra.settings import Settings

log = logging.getLogger(__name__)

HANDLED = Counter("bina_events_handled", "Events whose effect is stored", ["group", "topic"])
LAG = Gauge("bina_consumer_lag", "Events not yet handled, of the partitions of this worker", ["group", "topic"])

LOTS = 2
"""So many lots of events are handled side by side: while the database works for one, another goes on."""

LOT_EVENTS = 500
"""From so many events on, a second lot is worth its own calls to the database."""

PARTS = 50
"""Into so many a batch is cut that can't be handled whole."""

CLUSTER_CHECK_SECONDS = 5.0

COMMIT_SECONDS = 0.5
"""How long handled events may wait for their offsets to be committed, while others come. A commit after each batch
took a quarter of a reader's time; a worker that dies repeats so much more, which changes nothing."""


Batches = Mapping[TopicPartition, Sequence[Any]]
"""Records by where they stand."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition is handled. `behind` counts events; `last_event_at` is when the last was recorded."""

    topic: str
    partition: int
    behind: int
    last_event_at: datetime | None


class Consumer:
    """Part of a worker: one member of a consumer group.

    observe: is told about once a second how far each partition of this member is, once something is heard of it.
    """

    name = "consumer"

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        handler: BatchHandler,
        clock: Clock,
        *,
        observe: Callable[[list[Progress]], None] | None = None,
    ) -> None:
        self._settings = settings
        self._group = group
        self._topics = list(topics)
        self._handler = handler
        self._observe = observe
        self._tries = Tries(settings, group, clock)
        self._paused: dict[TopicPartition, float] = {}
        self._last: dict[TopicPartition, datetime] = {}
        self._gaps = Gaps()
        self._commit_by: float | None = None
        self._threads = ThreadPoolExecutor(LOTS, thread_name_prefix="handling")

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; trouble with Kafka is waited out."""
        while not stop.is_set():
            try:
                self._consume(stop)
            except (KafkaError, PyMongoError, OSError) as error:
                log.warning("consumer starts anew", extra={"reason": type(error).__name__})
                stop.wait(1.0)
            finally:
                self._tries.close()

    def _consume(self, stop: threading.Event) -> None:
        """Reads until told to stop, or until the cluster is another one (then positions mean nothing)."""
        ensure_topics(self._settings, (self._group,), self._topics)
        cluster = kafka.cluster_id(self._settings)
        deadletters.KEPT.labels(self._group).set(end_of(self._settings, dead_letters_of(self._group)))
        consumer = kafka.consumer(self._settings, kafka.group_name(self._settings, self._group, cluster))
        self._tries.begin(cluster)
        self._paused.clear()
        self._last.clear()
        self._gaps = Gaps()
        self._commit_by = None
        checked = told = time.monotonic()
        try:
            consumer.subscribe([full_name(self._settings, topic) for topic in self._topics])
            while not stop.is_set():
                self._step(consumer)
                now = time.monotonic()
                if now - told > 1.0:
                    self._tell(consumer)
                    told = now
                if now - checked > CLUSTER_CHECK_SECONDS:
                    if kafka.cluster_id(self._settings) != cluster:
                        log.warning("the Kafka cluster is another one: reading starts anew")
                        return
                    checked = now
            self._commit(consumer)
        finally:
            for topic in self._topics:
                # What was true when it last read would look like a reader that keeps up.
                LAG.remove(self._group, topic)
            kafka.leave(self._settings, consumer)

    def _step(self, consumer: KafkaConsumer) -> None:
        due = [place for place, at in self._paused.items() if at <= time.monotonic()]
        for place in due:
            del self._paused[place]
            if place in consumer.assignment():
                consumer.resume(place)
        batches = kafka.poll(consumer, timeout_ms=200)
        if kafka.embedded(self._settings):
            batches = self._gaps.cut(consumer, batches)
        lots = lots_of(batches)
        for lot, error in zip(lots, self._threads.map(self._try, lots), strict=True):
            if error is not None:
                self._apart(consumer, lot, error)
        if batches and self._commit_by is None:
            self._commit_by = time.monotonic() + COMMIT_SECONDS
        if not batches or time.monotonic() >= (self._commit_by or 0.0):
            self._commit(consumer)

    def _commit(self, consumer: KafkaConsumer) -> None:
        """Commits what is handled and not committed yet."""
        if self._commit_by is None:
            return
        self._commit_by = None
        try:
            consumer.commit()
        except CommitFailedError:
            log.info("partitions moved to another worker before the commit; it repeats the last events")
        except RebalanceInProgressError:
            # Who left the group for that would make the others share out the partitions a second time.
            self._commit_by = time.monotonic() + COMMIT_SECONDS

    # --- handling

    def _try(self, lot: Batches) -> Exception | None:
        """Handles the records at once; gives what is in the way. May run in any thread, unlike the consumer."""
        try:
            events = {place: [self._decode(record) for record in records] for place, records in lot.items()}
            self._handler([event for each in events.values() for event in each])
        except Exception as error:  # noqa: BLE001 - whatever it is, one event must not hold up the others
            return error
        for place, handled in events.items():
            self._done(place, lot[place], handled)
        return None

    def _apart(self, consumer: KafkaConsumer, lot: Batches, why: Exception) -> None:
        """Handles each partition by itself, in parts if need be. why: what was in the way of handling the lot."""
        for place, records in lot.items():
            error = self._try({place: records}) if len(lot) > 1 else why
            if error is not None:
                self._settle(consumer, place, records, error)

    def _settle(
        self, consumer: KafkaConsumer, place: TopicPartition, records: Sequence[Any], why: Exception
    ) -> bool:
        """Handles the records in ever smaller parts, in order; False when one has to wait, and all after it.

        why: what was in the way of handling them at once.
        """
        if len(records) > 1:
            return self._in_parts(consumer, place, records, why)
        if self._tries.set_aside(records[0], why):
            # At once: who takes over before that would set it aside a second time.
            self._commit_by = 0.0
            return True
        self._pause(consumer, place, records[0])
        return False

    def _in_parts(
        self, consumer: KafkaConsumer, place: TopicPartition, records: Sequence[Any], why: Exception
    ) -> bool:
        log.info("a batch is handled in parts", extra={"events": len(records), "reason": type(why).__name__})
        size = max(1, len(records) // PARTS)
        for start in range(0, len(records), size):
            part = records[start : start + size]
            error = self._try({place: part})
            if error is not None and not self._settle(consumer, place, part, error):
                return False
        return True

    def _done(self, place: TopicPartition, records: Sequence[Any], events: list[Event]) -> None:
        # What is tried again is always the first of its batch.
        self._tries.forget(records[0])
        HANDLED.labels(self._group, place.topic).inc(len(events))
        self._last[place] = events[-1].time

    def _decode(self, record: Any) -> Event:
        return decode(
            record.headers or [],
            record.key,
            record.value,
            topic=self._plain(record.topic),
            partition=record.partition,
            offset=record.offset,
        )

    def _pause(self, consumer: KafkaConsumer, place: TopicPartition, record: Any) -> None:
        """Goes back to the record that failed and lets the partition rest for a while."""
        consumer.seek(place, record.offset)
        consumer.pause(place)
        self._paused[place] = time.monotonic() + self._tries.rest(record)

    # --- how far

    def _tell(self, consumer: KafkaConsumer) -> None:
        progress = []
        for place in consumer.assignment():
            end, position = consumer.highwater(place), consumer.position(place, timeout_ms=1_000)
            if end is None or position is None:
                # Not read from yet: it may be far behind, and who waits for its end must not take it for reached.
                continue
            progress.append(
                Progress(
                    topic=self._plain(place.topic),
                    partition=place.partition,
                    behind=max(0, end - position),
                    last_event_at=self._last.get(place),
                )
            )
        for topic in self._topics:
            LAG.labels(self._group, topic).set(sum(each.behind for each in progress if each.topic == topic))
        if self._observe and progress:
            self._observe(progress)

    def _plain(self, topic: str) -> str:
        return topic.removeprefix(self._settings.topic_prefix)


def lots_of(batches: Batches) -> list[Batches]:
    """The batches in lots that can be handled side by side: one number of a partition is in one lot only."""
    partitions = sorted({place.partition for place in batches})
    count = min(LOTS, 1 + sum(map(len, batches.values())) // LOT_EVENTS)
    dealt = (set(partitions[number::count]) for number in range(count))
    return [{place: batches[place] for place in batches if place.partition in some} for some in dealt if some]
