"""What a consumer group could not handle: how often it was tried, how long it rests, and when it is set aside."""

import logging
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from prometheus_client import Counter

from infra.clock import Clock
from infra.messaging import deadletters, kafka
from infra.messaging.envelope import Unreadable
from infra.settings import Settings
from infra.storage import failures
from infra.storage.copies import Overtaken

log = logging.getLogger(__name__)

DEAD = Counter("bina_dead_letters", "Messages put to the dead letters", ["group", "topic"])
RETRIED = Counter("bina_events_retried", "Pauses of a partition after a failure", ["group"])

TRIES = 6
LONGEST_PAUSE = 30.0

Mark = tuple[str, int, int]
"""Topic, partition and offset."""


class Tries:
    """Remembers the records that failed, until they are handled or lie in the dead letters.

    Of one thread, but for `forget`.
    """

    def __init__(self, settings: Settings, group: str, clock: Clock) -> None:
        self._settings = settings
        self._group = group
        self._clock = clock
        self._producer: KafkaProducer | None = None
        self._cluster: str | None = None
        self._tries: dict[Mark, int] = {}
        self._rests: dict[Mark, int] = {}

    def begin(self, cluster: str) -> None:
        """Records come from this cluster from now on. Those of another one had the same offsets.

        Of the same cluster all is remembered: what fails would never be set aside, if Kafka went now and then.
        """
        if cluster != self._cluster:
            self._tries.clear()
            self._rests.clear()
        self._cluster = cluster

    def set_aside(self, record: Any, error: Exception) -> bool:
        """Puts the record to the dead letters if nothing else helps; False when it is to be tried again."""
        mark, passes = _mark(record), may_pass(error)
        # An outage uses up no tries: what is wrong with the event itself may show only after it.
        self._tries[mark] = tries = self._tries.get(mark, 0) + (not passes)
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "tries": tries}
        if not isinstance(error, Unreadable) and (passes or tries < TRIES):
            log.warning("an event is tried again", extra={"reason": type(error).__name__, **where})
            return False
        reason = str(error) if isinstance(error, Unreadable) else type(error).__name__
        try:
            self._put(record, reason, tries)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it may stop this partition only
            log.warning("the dead letters can't be written", extra={"reason": type(trouble).__name__, **where})
            self.close()
            return False
        self.forget(record)
        DEAD.labels(self._group, record.topic).inc()
        log.error("an event went to the dead letters", extra={"reason": reason, **where}, exc_info=error)
        return True

    def rest(self, record: Any) -> float:
        """For how many seconds its partition is to rest before it is tried again: longer each time."""
        mark = _mark(record)
        self._rests[mark] = rests = self._rests.get(mark, 0) + 1
        RETRIED.labels(self._group).inc()
        return min(0.1 * 2.0 ** min(rests, 20), LONGEST_PAUSE)

    def forget(self, record: Any) -> None:
        """It is dealt with."""
        mark = _mark(record)
        self._tries.pop(mark, None)
        self._rests.pop(mark, None)

    def close(self) -> None:
        """Lets go of the broker; the next letter takes a new connection."""
        if self._producer is not None:
            kafka.end(self._producer)
            self._producer = None

    def _put(self, record: Any, reason: str, tries: int) -> None:
        if self._producer is None:
            self._producer = kafka.producer(self._settings)
        deadletters.put(
            self._settings, self._producer, self._group, record, reason=reason, tries=tries, at=self._clock()
        )


def _mark(record: Any) -> Mark:
    return record.topic, record.partition, record.offset


def may_pass(error: Exception) -> bool:
    """Whether the failure is of the surroundings (no connection, overtaken), so that waiting is all that helps."""
    return failures.may_pass(error) or isinstance(error, KafkaError | OSError | Overtaken)
