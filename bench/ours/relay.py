"""Our relay in a process: sends one event to be ready, and all others on the word."""

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection

from bench.lane import Stint, tell, wait_for_go
from infra.clock import system_clock
from infra.messaging.advancing import SENT
from infra.messaging.relay import Relay
from infra.settings import Settings
from infra.storage.mongo import Document, connect
from services.sessions.store import Store


class GatedRelay(Relay):
    """The relay, which sees nothing but one document until the gate is open.

    With that one it makes its lease, topics and connections, which it has all day. began: first look after that.
    """

    def __init__(self, bell: str, settings: Settings, store: Store) -> None:
        super().__init__(settings, store.database, store.aggregates, system_clock)
        self._bell = bell
        self._open = False
        self.began = 0.0

    def open(self) -> None:
        """From now on it sees everything."""
        self._open = True

    def _read(self, collection: Collection[Document], flying: Sequence[Any]) -> list[Document]:
        if self._open:
            self.began = self.began or time.monotonic()
            return super()._read(collection, flying)
        return [document for document in super()._read(collection, flying) if document["_id"] == self._bell]


def main() -> int:
    """argv: how many events there are, and the id of the document that is sent first (the oldest)."""
    expected, bell = int(sys.argv[1]), sys.argv[2]
    settings = Settings.from_env("sessions", os.environ)
    store, stop = Store(connect(settings)), threading.Event()
    relay = GatedRelay(bell, settings, store)
    sent = SENT.labels(settings.service)._value
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    while sent.get() < 1:
        time.sleep(0.05)
    tell("ready")
    wait_for_go()
    relay.open()
    # What marks a document as unsent wakes the relay.
    store.sessions.collection.update_one({"_id": bell}, {"$set": {"unsent": {"lane": 0, "at": system_clock()}}})
    while sent.get() < expected:
        time.sleep(0.002)
    tell(Stint(expected - 1, relay.began, time.monotonic()))
    stop.set()
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
