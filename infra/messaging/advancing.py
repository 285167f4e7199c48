"""What becomes of documents whose events were handed to the producer: how far they are sent is written down."""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from kafka.errors import KafkaError, MessageSizeTooLargeError
from prometheus_client import Counter
from pymongo import UpdateMany, UpdateOne

from infra.clock import Clock
from infra.messaging import kafka
from infra.messaging.unsent import POSTPONED_LANE
from infra.settings import Settings
from infra.storage.aggregates import LANES, Aggregates
from infra.storage.archive import KEPT_EVENTS, archive_events
from infra.storage.mongo import Document

log = logging.getLogger(__name__)

SENT = Counter("bina_events_sent", "Events acknowledged by Kafka, each version of one counted", ["service"])
POSTPONED = Counter("bina_events_postponed", "Documents whose events wait a minute to be tried again", ["service"])

FLUSH_SECONDS = kafka.DELIVERY_TIMEOUT_MS / 1000 + 1
"""By then a producer has given up what can't be delivered, so that nothing else is given up with it."""

POSTPONE = timedelta(seconds=60)

Promised: TypeAlias = list[Any] | KafkaError
"""What the producer promised for each event of a document, or why it could not take one of them."""


class Advancing:
    """Waits for Kafka, and advances or postpones documents. `advance` may run in several threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._service = settings.service
        self._clock = clock
        # How many documents were sent when one failed first, and in all.
        self._failed: dict[Any, int] = {}
        self._gone = 0

    def advance(self, aggregates: Aggregates[Any], sent: Sequence[tuple[Document, Promised]]) -> None:
        """Waits for the acknowledgements and writes down how far each document is sent.

        Raises what kept one of them from being sent (KafkaError), once all others are written down: the producer
        may send nothing any more after that, and another one is to be started. What is too large is only logged.
        """
        give_up = time.monotonic() + FLUSH_SECONDS
        gone: list[Document] = []
        failed: dict[Any, KafkaError] = {}
        events = 0
        for document, promised in sent:
            try:
                events += acknowledged(promised, give_up)
            except KafkaError as error:
                failed[document["_id"]] = error
            else:
                gone.append(document)
        self._gone += len(gone)
        self._write(aggregates, gone, [id_ for id_, error in failed.items() if self._is_in_the_way(id_, error)])
        SENT.labels(self._service).inc(events)
        for document in gone:
            self._failed.pop(document["_id"], None)
            if document["length"] > KEPT_EVENTS:
                archive_events(aggregates, document["_id"])
        for failure in failed.values():
            if not isinstance(failure, MessageSizeTooLargeError):
                raise failure

    def _write(self, aggregates: Aggregates[Any], gone: Sequence[Document], in_the_way: Sequence[Any]) -> None:
        by_seq: dict[int, list[Any]] = defaultdict(list)
        for document in gone:
            events = document["events"]
            by_seq[events[-1]["seq"] if events else document["seq"]].append(document["_id"])
        writes: list[UpdateMany | UpdateOne] = [
            UpdateMany({"_id": {"$in": ids}}, advance_to(seq)) for seq, ids in by_seq.items()
        ]
        if in_the_way:
            log.error("events can't be sent", extra={"aggregates": in_the_way})
            POSTPONED.labels(self._service).inc(len(in_the_way))
            later = {"$set": {"unsent": {"lane": POSTPONED_LANE, "at": self._clock() + POSTPONE}}}
            writes.append(UpdateMany({"_id": {"$in": in_the_way}}, later))
        if writes:
            aggregates.collection.bulk_write(writes, ordered=False)

    def take_up_postponed(self, aggregates: Aggregates[Any]) -> None:
        """Lets those be sent whose time has come."""
        due = {"unsent.lane": POSTPONED_LANE, "unsent.at": {"$lte": self._clock()}}
        aggregates.collection.update_many(due, {"$set": {"unsent.lane": LANES["bulk"]}})

    def _is_in_the_way(self, id_: Any, error: KafkaError) -> bool:
        """Whether it is too large, or failed again though others were sent since it failed first.

        Where nothing is sent the broker is away, for all of them.
        """
        return isinstance(error, MessageSizeTooLargeError) or self._failed.setdefault(id_, self._gone) < self._gone


def acknowledged(promised: Promised, give_up: float) -> int:
    """Waits until Kafka has all events of a document; gives their number. Raises what kept one away, a KafkaError.

    give_up: when, by the monotonic clock, it has waited long enough.
    """
    if isinstance(promised, KafkaError):
        raise promised
    for future in promised:
        future.get(timeout=max(0.0, give_up - time.monotonic()))
    return len(promised)


def advance_to(seq: int) -> list[Mapping[str, Any]]:
    """Sets `sent` to at least `seq`, and clears `unsent` only when nothing is left; `version` is untouched."""
    unsent = {"$cond": [{"$lte": ["$seq", seq]}, "$$REMOVE", "$unsent"]}
    return [{"$set": {"sent": {"$max": ["$sent", seq]}, "unsent": unsent}}]
