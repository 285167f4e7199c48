"""Which generation of the figures is shown, and how the next one takes its place.

A generation has its own collections and its own consumer group, named by its number. The worker keeps the active
one up to date; a rebuild fills the next one beside it and makes it active when it has caught up.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import PyMongoError

from infra.clock import Clock
from infra.garbage import collect_rarely
from infra.messaging.consumer import Consumer, Progress
from infra.settings import Settings
from infra.storage.leases import Lease
from infra.worker import Part
from services.reporting.documents import Document
from services.reporting.events import CONSUMED
from services.reporting.projections import Projection, TreeFollower
from services.reporting.store import Store

log = logging.getLogger(__name__)

FIRST = 1


class Generations:
    """The numbers of the generations; the active one is what the API reads."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._store = Store(database, FIRST)

    def active(self) -> int:
        """The number of the generation that is shown."""
        found = self._database["generations"].find_one({"_id": "active"})
        return int(found["number"]) if found else FIRST

    def store(self) -> Store:
        """The collections of the active generation."""
        number = self.active()
        if number != self._store.generation:
            self._store = Store(self._database, number)
        return self._store

    def next(self) -> Store:
        """The collections of a generation whose number was never used, nor its consumer group."""
        counted = self._database["generations"].find_one_and_update(
            {"_id": "last"},
            [{"$set": {"number": {"$add": [{"$ifNull": ["$number", FIRST]}, 1]}}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return Store(self._database, int(counted["number"]) if counted else FIRST)

    def activate(self, number: int) -> None:
        """Shows that generation from now on; of the others only the one that it follows is kept."""
        kept = {number, self.active()}
        self._database["generations"].update_one({"_id": "active"}, {"$set": {"number": number}}, upsert=True)
        for name in self._database.list_collection_names(filter={"name": {"$regex": r"^g\d+\."}}):
            if int(name[1 : name.index(".")]) not in kept:
                self._database.drop_collection(name)


def group_of(generation: int) -> str:
    """The consumer group that fills the generation."""
    return f"reporting-{generation}"


def parts_of(settings: Settings, store: Store, clock: Clock) -> tuple[Part, ...]:
    """What keeps a generation up to date: the consumer, and the follower of the tree."""
    note = ProgressNote(store, clock)
    projection = Projection(store)
    consumer = Consumer(
        settings, group_of(store.generation), CONSUMED, projection.handle, clock, observe=note.observe
    )
    lease = Lease(store.database, f"{store['tree'].name}")
    return consumer, TreeFollower(projection, lease)


class ProgressNote:
    """Keeps how far each partition was read, for `/freshness`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def observe(self, progress: Sequence[Progress]) -> None:
        """Writes it down; trouble with the database is passed over, the next word comes in a second."""
        now = self._clock()
        try:
            self._store["progress"].bulk_write([_note(each, now) for each in progress], ordered=False)
        except PyMongoError as error:
            log.warning("progress was not noted", extra={"reason": type(error).__name__})


def _note(progress: Progress, now: datetime) -> UpdateOne:
    about = {"topic": progress.topic, "partition": progress.partition, "behind": progress.behind, "at": now}
    change: Document = {"$set": about}
    if progress.last_event_at is not None:
        change["$max"] = {"last_event_at": progress.last_event_at}
    return UpdateOne({"_id": f"{progress.topic}/{progress.partition}"}, change, upsert=True)


class ActiveGeneration:
    """Part of a worker: runs what keeps the active generation up to date, and changes over when another is."""

    name = "figures"

    def __init__(self, settings: Settings, generations: Generations, clock: Clock, every: float = 1.0) -> None:
        self._settings = settings
        self._generations = generations
        self._clock = clock
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set. A part that dies takes this one down; the worker is then started afresh."""
        collect_rarely()
        while not stop.is_set():
            store = self._generations.store()
            store.ensure_indexes()
            with Running(parts_of(self._settings, store, self._clock)) as running:
                while not stop.wait(self._every) and self._active(store.generation) == store.generation:
                    running.check()

    def _active(self, otherwise: int) -> int:
        try:
            return self._generations.active()
        except PyMongoError:
            return otherwise


class Running:
    """Parts at work in threads of their own for the length of a `with` block."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=each.run, args=(self._stop,), name=each.name, daemon=True) for each in parts
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        """Raises RuntimeError when a part has died; its own log line says why."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead:
            raise RuntimeError(f"died: {', '.join(dead)}")
