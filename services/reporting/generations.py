"""Which generation of the figures is shown, and how the next one takes its place.

A generation has its own collections and its own consumer group, named by its number, and bears the number of the
shape in which it is stored. Workers touch none but that of their own shape, and fill one when there is none; a
rebuild fills another beside it. Either is shown when it has caught up.
"""

import logging
import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal, Self

import msgspec
from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

from infra.clock import Clock
from infra.messaging.consumer import Consumer, Progress
from infra.problems import Refused, Text
from infra.settings import Settings
from infra.storage.leases import Lease
from infra.worker import Part
from services.reporting.documents import READABLE, SHAPE, UNNUMBERED, Document
from services.reporting.events import CONSUMED
from services.reporting.projections import Projection, TreeFollower
from services.reporting.store import Store

log = logging.getLogger(__name__)

FIRST = 1
NOBODYS = 0

COUNTED_ANEW = Text(
    "Angka sedang dihitung ulang untuk versi baru ini; coba lagi sebentar lagi.",
    "The figures are being counted anew for this new release; try again shortly.",
)


State = Literal["shown", "counted", "kept"]
STATES: Sequence[State] = ("shown", "counted", "kept")


class Standing(msgspec.Struct, frozen=True):
    """One generation: its number, the shape in which it is stored, and what is done with it."""

    number: int
    shape: int
    state: State


class Own(msgspec.Struct, frozen=True):
    """The generation that a release keeps up to date. whole: it caught up with the log once, so it is shown."""

    store: Store
    whole: bool


class Generations:
    """The generations as a release sees them that stores figures in this shape.

    In `generations`, each release has a record of its own by its shape, which others leave alone. `active` is that
    of the releases before shapes were numbered: it is moved only where they would find a part, or not theirs.
    """

    def __init__(self, database: Database[Document], shape: int = SHAPE) -> None:
        self._database = database
        self._records = database["generations"]
        self._shape = shape
        self._mine = f"shape {shape}"
        self._seen: Store | None = None

    # --- what is shown

    def active(self) -> int:
        """The number of the generation that is shown; of the first one when there is none yet."""
        shown = self._shown()
        return shown[0] if shown else FIRST

    def store(self) -> Store:
        """The collections to read figures from. Raises Refused (503) while they can't be read."""
        return self._readable({self._shape, *READABLE})

    def with_records(self) -> Store:
        """The collections to read records from, too. Raises Refused (503) while they can't be read."""
        return self._readable({self._shape})

    def _readable(self, shapes: Collection[int]) -> Store:
        shown = self._shown()
        if shown is None:
            if self._records.find_one({"_id": self._mine}) is None:
                # Nothing was stored yet, or the first generation is being made.
                return Store(self._database, FIRST)
            # It may have been begun between the two looks.
            shown = self._shown()
        if shown is None or shown[1] not in shapes:
            raise Refused("counted-anew", COUNTED_ANEW, status=503, retry=True)
        if self._seen is None or self._seen.generation != shown[0]:
            self._seen = Store(self._database, shown[0])
        return self._seen

    def _shown(self) -> tuple[int, int] | None:
        """Number and shape of the whole generation of this release, else of the newest of any other."""
        whole = [(each["shape"] == self._shape, each["number"], each["shape"]) for each in self._whole()]
        for _, number, shape in sorted(whole, reverse=True):
            # Another release may have dropped it; who reads every second need not look every time.
            if (self._seen and self._seen.generation == number) or self._shape_of(number) == shape:
                return number, shape
        number = self._unnumbered()
        return (number, UNNUMBERED) if self._shape_of(number) == UNNUMBERED else None

    def _whole(self) -> Iterable[Document]:
        return self._records.find({"whole": True})

    def standing(self) -> list[Standing]:
        """All generations that are there: what is shown, what is being counted, what is kept; in this order."""
        shown, whole = self.active(), {each["number"] for each in self._whole()}
        found = [
            Standing(number, self._shape_of(number) or UNNUMBERED, _state(number, shown, whole))
            for number in sorted({_number(name) for name in self._names(r"\d+")})
        ]
        return sorted(found, key=lambda each: STATES.index(each.state))

    # --- what is kept up to date

    def own(self) -> Own | None:
        """The generation of this release; None while there is none."""
        record = self._records.find_one({"_id": self._mine})
        if record is None or self._shape_of(record["number"]) != self._shape:
            return None
        return Own(Store(self._database, record["number"]), record["whole"])

    def begin(self) -> Store:
        """Makes the generation of this release, for its workers to fill; shown at once where nothing else is."""
        empty, before = self.is_empty(), self._records.find_one({"_id": self._mine})
        store = self.next()
        record = {"shape": self._shape, "number": store.generation, "whole": empty}
        unchanged = {"_id": self._mine, "number": before and before["number"]}
        try:
            self._records.replace_one(unchanged, record, upsert=True)
        except DuplicateKeyError:
            # A rebuild has shown another one meanwhile.
            self._drop(store.generation)
        return store

    def is_empty(self) -> bool:
        """Whether no release has ever stored anything here."""
        return self._records.find_one() is None and not self._names(r"\d+")

    def next(self) -> Store:
        """The collections of a new generation whose number was never used, nor its consumer group."""
        store = Store(self._database, self._count())
        store["meta"].insert_one({"_id": "shape", "number": self._shape})
        store.ensure_indexes()
        return store

    def activate(self, number: int) -> None:
        """Shows that generation from now on; of those before only the one that it follows is kept."""
        before = self._shown()
        record = {"shape": self._shape, "number": number, "whole": True}
        changed = self._records.update_one({"_id": self._mine}, {"$set": record}, upsert=True)
        if changed.modified_count or changed.did_upsert:
            self._drop_before(number, {before[0]} if before else set())

    def _drop_before(self, number: int, kept: set[int]) -> None:
        gone = {each for each in map(_number, self._names(r"\d+")) if each < number} - kept
        self._records.delete_many({"shape": {"$exists": True}, "number": {"$in": list(gone)}})
        if self._unnumbered() in gone:
            # Their group goes on where it was; in empty collections that would be a part of the figures only.
            self._records.update_one({"_id": "active"}, {"$set": {"number": self._count()}}, upsert=True)
        for each in gone:
            self._drop(each)

    def _drop(self, number: int) -> None:
        for name in self._names(str(number)):
            self._database.drop_collection(name)

    # --- numbers and shapes

    def _count(self) -> int:
        last = FIRST
        if self.is_empty():
            # Else a release without a shape, should one be started here, would take the first one for its own.
            self._records.update_one({"_id": "active"}, {"$setOnInsert": {"number": NOBODYS}}, upsert=True)
            last = NOBODYS
        counted = self._records.find_one_and_update(
            {"_id": "last"},
            [{"$set": {"number": {"$add": [{"$ifNull": ["$number", last]}, 1]}}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(counted["number"]) if counted else FIRST

    def _unnumbered(self) -> int:
        """The generation that releases without a shape work at."""
        found = self._records.find_one({"_id": "active"})
        return int(found["number"]) if found else FIRST

    def _shape_of(self, number: int) -> int | None:
        """The shape in which the generation is stored; None when it is not there."""
        found = self._database[f"g{number}.meta"].find_one({"_id": "shape"})
        if found is not None:
            return int(found["number"])
        return UNNUMBERED if self._names(str(number)) else None

    def _names(self, number: str) -> list[str]:
        return self._database.list_collection_names(filter={"name": {"$regex": rf"^g{number}\."}})


def _state(number: int, shown: int, whole: Collection[int]) -> State:
    if number == shown:
        return "shown"
    return "counted" if number > shown and number not in whole else "kept"


def _number(collection: str) -> int:
    return int(collection[1 : collection.index(".")])


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
    if not progress.behind:
        about["whole_at"] = now
    change: Document = {"$set": about, "$setOnInsert": {"first_at": now}}
    if progress.last_event_at is not None:
        change["$max"] = {"last_event_at": progress.last_event_at}
    return UpdateOne({"_id": f"{progress.topic}/{progress.partition}"}, change, upsert=True)


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
