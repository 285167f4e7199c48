"""Wakes the relay as soon as a document has something to send, by a change stream; no polling in between."""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.storage.mongo import Document

log = logging.getLogger(__name__)


class Wake:
    """Listens to the database and remembers which collections have changed since the last `wait`."""

    name = "relay-wake"

    def __init__(self, database: Database[Document], collections: Sequence[str]) -> None:
        self._database = database
        self._collections = list(collections)
        self._changed: set[str] = set()
        self._signal = threading.Event()
        self._lock = threading.Lock()

    def wait(self, seconds: float) -> set[str]:
        """Waits for a change; gives the collections that changed, all of them when the time has passed."""
        if not self._signal.wait(seconds):
            return set(self._collections)
        with self._lock:
            self._signal.clear()
            changed, self._changed = self._changed, set()
        return changed

    @property
    def changed(self) -> set[str]:
        """The collections that have changed since the last `wait`, which tells of them, too."""
        with self._lock:
            return set(self._changed)

    def run(self, stop: threading.Event) -> None:
        """Listens until `stop` is set. Without a stream the relay still looks every second."""
        while not stop.is_set():
            try:
                self._listen(stop)
            except PyMongoError as error:
                log.info("change stream starts anew", extra={"reason": type(error).__name__})
            stop.wait(1.0)

    def _listen(self, stop: threading.Event) -> None:
        # Of what changes in the millisecond of the change before it, `unsent` stays the same, and is not told of.
        changed = [{f"updateDescription.updatedFields.{name}": {"$exists": True}} for name in ("seq", "unsent")]
        pipeline: list[dict[str, Any]] = [
            {"$match": {"ns.coll": {"$in": self._collections}, "$or": [{"operationType": "insert"}, *changed]}},
            {"$project": {"ns.coll": 1}},
        ]
        with self._database.watch(pipeline, max_await_time_ms=1000) as stream:
            self._mark(set(self._collections))
            # It ends when somebody drops the database, to bring back another one.
            while not stop.is_set() and stream.alive:
                change = stream.try_next()
                if change is not None:
                    self._mark({change["ns"]["coll"]})

    def _mark(self, names: set[str]) -> None:
        with self._lock:
            self._changed |= names
            self._signal.set()
