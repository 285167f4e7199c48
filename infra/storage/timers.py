"""Things to do at a certain time, kept in the database so that they survive restarts."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Gauge
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.storage.mongo import Document

log = logging.getLogger(__name__)

DUE = Gauge("bina_timers_due", "Timers whose time has come and whose work is not done", ["database"])
COUNT_SECONDS = 5.0
CLAIM = timedelta(seconds=60)
"""How long one worker has for a timer before another may take it up."""


class Timers:
    """Sets and cancels timers; `kind` says what is to be done, `key` for what."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = database["timers"]

    def ensure_indexes(self) -> None:
        """Makes the index by which due timers are found; safe to repeat."""
        self.collection.create_index("at")

    def set(
        self,
        kind: str,
        key: str,
        at: datetime,
        payload: Mapping[str, Any] | None = None,
        session: ClientSession | None = None,
    ) -> None:
        """Sets the timer, or moves it when it is there already."""
        timer = {"kind": kind, "key": key, "at": at, "payload": dict(payload or {}), "tries": 0}
        self.collection.replace_one({"_id": f"{kind}:{key}"}, timer, upsert=True, session=session)

    def cancel(self, kind: str, key: str, session: ClientSession | None = None) -> None:
        """Takes the timer back; nothing happens when there is none."""
        self.collection.delete_one({"_id": f"{kind}:{key}"}, session=session)


TimerHandler = Callable[[str, Mapping[str, Any]], None]


class TimersLoop:
    """Part of a worker: runs due timers through the handlers of their kind.

    A handler runs at least once; one that fails is tried again a minute later, and goes on being tried.
    """

    name = "timers"

    def __init__(
        self, timers: Timers, handlers: Mapping[str, TimerHandler], clock: Clock, every: float = 1.0
    ) -> None:
        self._timers = timers
        self._handlers = handlers
        self._clock = clock
        self._every = every
        self._counted = 0.0

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set."""
        while not stop.is_set():
            try:
                self._count_due()
                busy = self.run_due()
            except PyMongoError as error:
                log.warning("timers wait for the database", extra={"reason": type(error).__name__})
                busy = False
            if not busy:
                stop.wait(self._every)

    def _count_due(self) -> None:
        if time.monotonic() - self._counted > COUNT_SECONDS:
            due = self._timers.collection.count_documents({"at": {"$lte": self._clock()}})
            DUE.labels(self._timers.collection.database.name).set(due)
            self._counted = time.monotonic()

    def run_due(self) -> bool:
        """Runs one timer that is due; False when there is none."""
        now = self._clock()
        claimed = self._timers.collection.find_one_and_update(
            {"at": {"$lte": now}, "kind": {"$in": list(self._handlers)}},
            {"$set": {"at": now + CLAIM}, "$inc": {"tries": 1}},
            sort=[("at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if claimed is None:
            return False
        try:
            self._handlers[claimed["kind"]](claimed["key"], claimed["payload"])
        except PyMongoError:
            raise
        except Exception as error:
            log.exception("timer failed", extra={"timer": claimed["_id"], "reason": type(error).__name__})
            return True
        self._timers.collection.delete_one({"_id": claimed["_id"], "at": claimed["at"]})
        return True
