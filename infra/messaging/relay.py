"""The relay: brings the events that aggregates carry to Kafka, each at least once.

One relay a service is active, by a lease. It reads with majority concern (a write that a failover rolls back must
never be published), live changes before imports, sends what is above `sent`, waits for the acknowledgement and
advances `sent` while the next page is already on its way.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from bson.codec_options import CodecOptions
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from prometheus_client import Gauge
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.messaging import kafka
from infra.messaging.advancing import FLUSH_SECONDS, Advancing, Promised
from infra.messaging.cluster import ClusterFollower
from infra.messaging.envelope import to_headers
from infra.messaging.topics import full_name
from infra.messaging.unsent import DUE, WAITING, waiting
from infra.messaging.versions import FIRST, bodies
from infra.messaging.wake import Wake
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.leases import Lease
from infra.storage.mongo import Document

log = logging.getLogger(__name__)

BACKLOG = Gauge("bina_relay_backlog", "Documents with events that wait to be sent", ["service", "lane"])

PAGE = 2_000
"""Documents that are read and sent at a time."""

TURN = 5
"""Pages of one collection that may be sent while others have something, too."""

UNDER_WAY = 2
"""Pages that may wait for acknowledgements and to be advanced, while the next is being sent."""

LEASE_SECONDS = 20.0
LOOK_AROUND_SECONDS = 5.0
"""How often the relay looks at more than what is to be sent."""


class LeaseLost(Exception):
    """Another relay may have taken over while this one was at something long."""


class Relay:
    """Part of a worker: sends the events of all aggregates of one service."""

    name = "relay"

    def __init__(
        self,
        settings: Settings,
        database: Database[Document],
        aggregates: Sequence[Aggregates[Any]],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._aggregates = aggregates
        self._cluster = ClusterFollower(settings, database, aggregates, clock)
        self._advancing = Advancing(settings, clock)
        self._lease = Lease(database, "relay", LEASE_SECONDS)
        self._leased_until = 0.0
        self._wake = Wake(database, [each.collection.name for each in aggregates])
        self._in_flight: dict[str, set[Any]] = defaultdict(set)

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; trouble with Kafka or MongoDB is waited out."""
        wake = threading.Thread(target=self._wake.run, args=(stop,), daemon=True, name=self._wake.name)
        wake.start()
        while not stop.is_set():
            try:
                self._hold(stop)
            except (KafkaError, PyMongoError, LeaseLost) as error:
                log.warning("relay waits", extra={"reason": type(error).__name__})
                self._in_flight.clear()
                stop.wait(1.0)
        wake.join(timeout=5)

    def _hold(self, stop: threading.Event) -> None:
        """Waits for the lease, then sends until it is lost."""
        if not self._prolong():
            BACKLOG.remove_by_labels({"service": self._settings.service})
            stop.wait(1.0)
            return
        self._look_around()
        producer = kafka.producer(self._settings)
        try:
            with ThreadPoolExecutor(UNDER_WAY + 1, thread_name_prefix="relay") as pool:
                self._send_all(producer, pool, stop)
        finally:
            kafka.end(producer)
            if stop.is_set():
                self._lease.release()

    def _send_all(self, producer: KafkaProducer, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        everywhere = {each.collection.name for each in self._aggregates}
        names, look_at = everywhere, time.monotonic() + LOOK_AROUND_SECONDS
        pending: list[Future[None]] = []

        def goes_on(name: str, pages: int) -> bool:
            """Whether one collection, of which so many pages were sent, may go on, or others come first."""
            others = pages >= TURN and self._wake.changed - {name}
            return not (others or stop.is_set() or time.monotonic() > look_at)

        while not stop.is_set() and self._prolong():
            busy = {
                each.collection.name
                for each in self._aggregates
                if each.collection.name in names and self._pages(each, producer, pool, pending, goes_on)
            }
            if time.monotonic() > look_at:
                wait_for(pending)
                self._look_around()
                names, look_at = everywhere, time.monotonic() + LOOK_AROUND_SECONDS
            elif busy:
                names = busy | self._wake.changed
            else:
                wait_for(pending)
                names = self._wake.wait(1.0)
        wait_for(pending)

    def _prolong(self) -> bool:
        """Keeps the lease; asks the database only when half of it is used up."""
        if time.monotonic() < self._leased_until - LEASE_SECONDS / 2:
            return True
        asked = time.monotonic()
        held = self._lease.acquire()
        self._leased_until = asked + LEASE_SECONDS if held else 0.0
        return held

    # --- sending

    def _pages(
        self,
        aggregates: Aggregates[Any],
        producer: KafkaProducer,
        pool: ThreadPoolExecutor,
        pending: list[Future[None]],
        goes_on: Callable[[str, int], bool],
    ) -> bool:
        """Sends a page of one collection, and more of them while it may go on; True when there was something.

        While one page is sent, those before it are advanced and the next one is read.
        """
        collection = aggregates.collection
        flying = self._in_flight[collection.name]
        documents = self._read(collection, list(flying))
        pages = 0
        while documents:
            pages += 1
            flying.update(document["_id"] for document in documents)
            full = len(documents) == PAGE
            more = full and goes_on(collection.name, pages)
            following = pool.submit(self._read, collection, list(flying)) if more else None
            refused: dict[str, KafkaError] = {}
            sent = [(each, self._send(aggregates, producer, each, refused)) for each in documents]
            if not full:
                # Nothing more to come: what waits for company goes out now. What becomes of it is told below.
                with suppress(KafkaTimeoutError):
                    producer.flush(timeout=FLUSH_SECONDS)
            # First of all: whatever failed before, what is sent is written down.
            pending.append(pool.submit(self._advance, aggregates, sent, flying))
            wait_for(pending, all_but=UNDER_WAY)
            documents = following.result() if following and self._prolong() else []
        return pages > 0

    def _read(self, collection: Collection[Document], flying: Sequence[Any]) -> list[Document]:
        """The next documents that have something to send, but for those that are on their way."""
        query: dict[str, Any] = {**DUE}
        if flying:
            query["_id"] = {"$nin": flying}
        above = {"$filter": {"input": "$events", "cond": {"$gt": ["$$this.seq", "$sent"]}}}
        fields = {"seq": 1, "events": above, "length": {"$size": "$events"}}
        # Without time zones the documents are decoded in less than half the time; all times are in UTC.
        plain: Collection[Document] = collection.with_options(codec_options=CodecOptions(tz_aware=False))
        return list(plain.find(query, fields).sort([("unsent.lane", 1), ("unsent.at", 1)]).limit(PAGE))

    def _send(
        self,
        aggregates: Aggregates[Any],
        producer: KafkaProducer,
        document: Document,
        refused: dict[str, KafkaError],
    ) -> Promised:
        """Hands the events of one document to the producer.

        refused: topics that it can't write to, with the reason; it waits for each of them once.
        """
        subject = document["_id"]
        futures = []
        for event in document["events"]:
            topic = full_name(self._settings, event.get("topic", aggregates.topic))
            if topic in refused:
                return refused[topic]
            key = event.get("key", subject).encode()
            for version, body in bodies(event["body"], FIRST if "topic" in event else aggregates.versions):
                source = self._settings.service
                headers = to_headers(event, source=source, subject=subject, key=key, version=version)
                try:
                    future = producer.send(topic, value=body, key=key, headers=headers)
                except MessageSizeTooLargeError as error:
                    return error
                except KafkaError as error:
                    return refused.setdefault(topic, error)
                if future.is_done and future.exception is not None:
                    return refused.setdefault(topic, future.exception)
                futures.append(future)
        return futures

    def _advance(
        self, aggregates: Aggregates[Any], sent: Sequence[tuple[Document, Promised]], flying: set[Any]
    ) -> None:
        self._advancing.advance(aggregates, sent)
        flying.difference_update(document["_id"] for document, _ in sent)

    # --- in between

    def _look_around(self) -> None:
        """What has to be seen to now and then, however busy it is: backlog is of interest when there is much."""
        counted = [waiting(each) for each in self._aggregates]
        for lane in WAITING:
            BACKLOG.labels(self._settings.service, lane).set(sum(each[lane] for each in counted))
        self._cluster.follow(self._keep)
        for each in self._aggregates:
            self._advancing.take_up_postponed(each)

    def _keep(self) -> None:
        """Keeps the lease. Raises LeaseLost."""
        if not self._prolong():
            raise LeaseLost


def wait_for(pending: list[Future[None]], *, all_but: int = 0) -> None:
    """Takes the oldest from what is under way until so many are left; raises what went wrong in them."""
    while len(pending) > all_but:
        pending.pop(0).result()
