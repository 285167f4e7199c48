"""After the storm: waits until everything that was accepted has reached everybody whom it concerns."""

import time
from collections.abc import Callable, Iterator

from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chaos.rig import Rig
from infra.messaging.cluster import sends_once_more
from infra.messaging.lag import places_of
from infra.messaging.unsent import UNSENT
from infra.settings import PORTS
from infra.storage.mongo import connect
from infra.wording import counted

GROUPS = {
    "enrollment": "enrollment",
    "sessions": "sessions",
    "notifications": "notifications",
    "reporting": "reporting-1",
}
"""The consumer group of each service."""


class Calm:
    """Looks at the system from outside; `aggregates` and databases are opened once."""

    def __init__(self, rig: Rig, told: Callable[[str], None]) -> None:
        self._rig = rig
        self._told = told
        self._aggregates = {service: rig.aggregates(service) for service in PORTS}
        self._notifications = connect(rig.settings("notifications"))

    def settle(self, patience: float) -> list[str]:
        """Empty once all is quiet, three times in a row; else, after `patience` seconds, what still went on."""
        give_up, quiet, last = time.monotonic() + patience, 0, ""
        busy = ["nothing was looked at"]
        while quiet < 3 and time.monotonic() < give_up:
            busy = self._busy()
            quiet = 0 if busy else quiet + 1
            if busy and busy[0] != last:
                last = busy[0]
                self._told(f"waiting: {', '.join(busy)}")
            time.sleep(0.5)
        return busy if quiet < 3 else []

    def _busy(self) -> list[str]:
        """What is still going on, in words."""
        if unready := self._rig.unready():
            return [f"{name} is not ready" for name in unready]
        try:
            return [*self._unsent(), *self._unread(), *self._mails()]
        except (KafkaError, PyMongoError, OSError) as error:
            return [f"can't be asked: {type(error).__name__}"]

    def _unsent(self) -> Iterator[str]:
        for service, aggregates in self._aggregates.items():
            count = sum(each.collection.count_documents(UNSENT) for each in aggregates)
            if count:
                yield f"{counted(count, 'document')} of {service} unsent"
            elif any(sends_once_more(each.collection.database) for each in aggregates):
                yield f"{service} is to send everything once more"

    def _unread(self) -> Iterator[str]:
        for service, group in GROUPS.items():
            places = places_of(self._rig.settings(service), group)
            behind = sum(abs(place.behind) for place in places)
            if behind or not places:
                yield f"{service} is {counted(behind, 'event')} behind"

    def _mails(self) -> Iterator[str]:
        if waiting := self._notifications["deliveries"].count_documents({"state": "waiting"}):
            yield f"{counted(waiting, 'mail')} waiting"
