"""What becomes of documents whose events were handed to the producer: how far they are sent is written down."""

import logging
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
POSTPONED = Counter("bina_events_postponed", "Documents whose events can't be sent as they are", ["service"])

FLUSH_SECONDS = kafka.DELIVERY_TIMEOUT_MS / 1000 + 1
"""By then the producer has given up what can't be delivered, so that nothing else is given up with it."""

POSTPONE = timedelta(seconds=60)

Promised: TypeAlias = list[Any] | KafkaError
"""What the producer promised for each event of a document, or why it could not take one of them."""


class Advancing:
    """Waits for Kafka, and advances or postpones documents. `advance` may run in several threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._service = settings.service
        self._clock = clock
        self._failed: set[Any] = set()

    def advance(self, aggregates: Aggregates[Any], sent: Sequence[tuple[Document, Promised]]) -> None:
        """Waits for the acknowledgements and writes down how far each document is sent.

        Raises what kept one from being sent, a KafkaError, when that may help; the others are written down before.
        """
        by_seq: dict[int, list[Any]] = defaultdict(list)
        gone: list[Document] = []
        failed: dict[Any, KafkaError] = {}
        events = 0
        for document, promised in sent:
            if error := failure_of(promised):
                failed[document["_id"]] = error
                continue
            gone.append(document)
            by_seq[document["events"][-1]["seq"] if promised else document["seq"]].append(document["_id"])
            events += len(promised)
        hopeless = self._hopeless(failed, others_sent=bool(gone))
        writes: list[UpdateMany | UpdateOne] = [
            UpdateMany({"_id": {"$in": ids}}, advance_to(seq)) for seq, ids in by_seq.items()
        ]
        if hopeless:
            log.error("events can't be sent", extra={"aggregates": hopeless})
            POSTPONED.labels(self._service).inc(len(hopeless))
            later = {"$set": {"unsent": {"lane": POSTPONED_LANE, "at": self._clock() + POSTPONE}}}
            writes.append(UpdateMany({"_id": {"$in": hopeless}}, later))
        if writes:
            aggregates.collection.bulk_write(writes, ordered=False)
        SENT.labels(self._service).inc(events)
        self._failed = {*self._failed, *failed}.difference(document["_id"] for document in gone)
        for document in gone:
            if document["length"] > KEPT_EVENTS:
                archive_events(aggregates, document["_id"])
        for id_ in failed.keys() - set(hopeless):
            raise failed[id_]

    def take_up_postponed(self, aggregates: Aggregates[Any]) -> None:
        """Lets those be sent whose time has come."""
        due = {"unsent.lane": POSTPONED_LANE, "unsent.at": {"$lte": self._clock()}}
        aggregates.collection.update_many(due, {"$set": {"unsent.lane": LANES["bulk"]}})

    def _hopeless(self, failed: Mapping[Any, KafkaError], *, others_sent: bool) -> list[Any]:
        """Those that would be in the way of others: too large, or failed once more while others were sent.

        Where nothing is sent the broker is away, for all of them.
        """
        again = self._failed if others_sent else set()
        return [
            id_ for id_, error in failed.items() if isinstance(error, MessageSizeTooLargeError) or id_ in again
        ]


def failure_of(promised: Promised) -> KafkaError | None:
    """Waits until Kafka has all events of a document; gives what kept one of them away."""
    if isinstance(promised, KafkaError):
        return promised
    try:
        for future in promised:
            future.get(timeout=FLUSH_SECONDS)
    except KafkaError as error:
        return error
    return None


def advance_to(seq: int) -> list[Mapping[str, Any]]:
    """Sets `sent` to at least `seq`, and clears `unsent` only when nothing is left; `version` is untouched."""
    unsent = {"$cond": [{"$lte": ["$seq", seq]}, "$$REMOVE", "$unsent"]}
    return [{"$set": {"sent": {"$max": ["$sent", seq]}, "unsent": unsent}}]
