"""Another Kafka cluster than before has an empty log: everything is sent there again."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pymongo.database import Database

from infra.clock import Clock
from infra.messaging import kafka
from infra.messaging.topics import ensure_topics
from infra.messaging.unsent import DUE, resend
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import Document

log = logging.getLogger(__name__)


class ClusterFollower:
    """Knows which cluster has what was sent, and makes another one have it, too."""

    def __init__(
        self,
        settings: Settings,
        database: Database[Document],
        aggregates: Sequence[Aggregates[Any]],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._state = database["relay"]
        self._aggregates = aggregates
        self._clock = clock

    def follow(self, after_portion: Callable[[], None]) -> None:
        """Makes the topics and marks everything as unsent where the cluster is another one. Raises KafkaError.

        Nothing may be under way meanwhile: what the cluster of before acknowledged would count as sent. Marking
        takes long where there is much; what `after_portion` raises ends it, and the next time begins anew.
        """
        now = kafka.cluster_id(self._settings)
        known = self._state.find_one({"_id": "cluster"})
        if known and known["cluster_id"] == now:
            self._send_once_more(known.get("once_more_after"), after_portion)
            return
        ensure_topics(self._settings)
        entry: Document = {"cluster_id": now}
        if known:
            log.warning("the Kafka cluster is another one: everything is sent again")
            started = self._clock()
            self._send_everything(started, after_portion)
            if kafka.embedded(self._settings):
                # What a producer of before wrote there ahead of the topics may hide what comes first now.
                entry["once_more_after"] = started
        self._state.replace_one({"_id": "cluster"}, entry, upsert=True)

    def _send_once_more(self, first: datetime | None, after_portion: Callable[[], None]) -> None:
        """To an embedded broker that was started anew, when all that was to be sent by `first` is sent."""
        if first is not None and not self._waits_since(first):
            self._send_everything(self._clock(), after_portion)
            self._state.update_one({"_id": "cluster"}, {"$unset": {"once_more_after": ""}})

    def _send_everything(self, at: datetime, after_portion: Callable[[], None]) -> None:
        for aggregates in self._aggregates:
            resend(aggregates, {}, lambda: at, after_portion=after_portion)

    def _waits_since(self, at: datetime) -> bool:
        query = {**DUE, "unsent.at": {"$lte": at}}
        return any(each.collection.find_one(query, {"_id": 1}) for each in self._aggregates)


def sends_once_more(database: Database[Document]) -> bool:
    """Whether a relay is to send everything a second time, since its embedded broker was started anew."""
    return database["relay"].find_one({"_id": "cluster", "once_more_after": {"$exists": True}}) is not None
