"""What a worker does with generations: keeps that of its own release up to date, and fills it when it is new."""

import logging
import threading
import time

from kafka.errors import KafkaError
from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.garbage import collect_rarely
from infra.messaging.lag import places_of
from infra.settings import Settings
from infra.storage.leases import Lease
from services.reporting.documents import Document
from services.reporting.generations import Generations, Own, Running, group_of, parts_of
from services.reporting.rebuild import WHAT_TO_DO, LogCut, caught_up, places_of_log
from services.reporting.store import Store

log = logging.getLogger(__name__)

TELL_SECONDS = 5.0

RECORDS = ("units", "needs", "batches", "participants", "people", "sessions", "credits")
"""What only ever gets more, so that a log from which less can be counted is not whole yet."""


class Upkeep:
    """Part of a worker: takes events into the generation of its release, and shows that once it has caught up.

    All workers of a release share the filling of a new one. Where the log has lost its beginning none is begun:
    the worker stands still, and nothing is read, counted or set aside.
    """

    name = "figures"

    def __init__(self, settings: Settings, database: Database[Document], clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._generations = Generations(database)
        self._lease = Lease(database, "generation")
        self._clock = clock
        self._every = 1.0
        self._cut: LogCut | None = None
        self._told = 0.0
        self._missing: list[str] = []

    def ready(self) -> None:
        """Raises LogCut while it stands still; for readiness checks."""
        if self._cut is not None:
            raise self._cut

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set. A part that dies takes this one down; the worker is then started afresh."""
        collect_rarely()
        while not stop.is_set():
            try:
                self._work(stop)
            except LogCut as cut:
                self._stand_still(cut)
            except (KafkaError, PyMongoError, OSError) as error:
                log.warning("figures wait to be kept up to date", extra={"reason": type(error).__name__})
            stop.wait(self._every)

    def _work(self, stop: threading.Event) -> None:
        """Works at one generation until it is no longer that of this release."""
        own = self._generations.own() or self._begun()
        if own is None:
            return
        whole = own.whole
        places = 0 if whole else places_of_log(self._settings)
        self._cut = None
        own.store.ensure_indexes()
        # Of a cluster before this one: nobody would ever tell of them again.
        own.store["progress"].delete_many({"partition": {"$gte": self._settings.partitions}})
        with Running(parts_of(self._settings, own.store, self._clock)) as running:
            while not stop.wait(self._every) and self._is_own(own.store):
                running.check()
                if not whole:
                    self._tell_of_those_shown()
                    whole = self._shown_when_whole(own.store, places)

    def _begun(self) -> Own | None:
        """The generation of this release after it was begun; None while another worker does that."""
        if not self._generations.is_empty():
            places_of_log(self._settings)
        if not self._lease.acquire():
            return None
        try:
            if self._generations.own() is None:
                store = self._generations.begin()
                about = {"generation": store.generation, "group": group_of(store.generation)}
                log.info("the figures of this release are counted from the log", extra=about)
            return self._generations.own()
        finally:
            self._lease.release()

    def _is_own(self, store: Store) -> bool:
        try:
            own = self._generations.own()
        except PyMongoError:
            return True
        return own is not None and own.store.generation == store.generation

    def _shown_when_whole(self, store: Store, places: int) -> bool:
        try:
            if not caught_up(store, places) or self._lacks_records(store):
                return False
            self._generations.activate(store.generation)
        except PyMongoError as error:
            log.warning("figures wait to be shown", extra={"reason": type(error).__name__})
            return False
        log.info("the figures of this release are shown", extra={"generation": store.generation})
        return True

    def _lacks_records(self, store: Store) -> bool:
        """Whether it has fewer records than what is shown: a broker that is new and empty is filled by and by."""
        shown = Store(self._database, self._generations.active())
        missing = [
            name
            for name in RECORDS
            if store[name].estimated_document_count() < shown[name].estimated_document_count()
        ]
        if missing != self._missing:
            log.warning("the log has given fewer records than are shown", extra={"of": missing})
        self._missing = missing
        return bool(missing)

    def _stand_still(self, cut: LogCut) -> None:
        if self._cut is None:
            log.error(
                "figures stand still: none are stored in this release's shape, and %s",
                WHAT_TO_DO,
                extra={"reason": str(cut)},
            )
        self._cut = cut
        self._tell_of_those_shown()

    def _tell_of_those_shown(self) -> None:
        """Notes by how much the figures of another shape fall behind: their own worker may be gone by now."""
        if time.monotonic() - self._told < TELL_SECONDS:
            return
        self._told = time.monotonic()
        try:
            shown = Store(self._database, self._generations.active())
            behind = [
                UpdateOne({"_id": f"{each.topic}/{each.partition}"}, {"$set": {"behind": max(0, each.behind)}})
                for each in places_of(self._settings, group_of(shown.generation))
            ]
            if behind:
                shown["progress"].bulk_write(behind, ordered=False)
        except (KafkaError, PyMongoError, OSError) as error:
            log.warning("it was not noted how far figures are behind", extra={"reason": type(error).__name__})
