"""One aggregate is one document, and it carries its own events.

A change is one conditional update: it checks `version`, sets the state, pushes the event (its wire form, ready
made in `documents.py`) and marks the document as unsent. The relay does the rest. So state and event can't come
apart, without an outbox collection and, on the hot path, without a transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import Any, Generic

from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from infra.messaging.versions import FIRST, Versions
from infra.storage.documents import LANES, Change, Documents, Fresh, Lane, Record, S, Stored
from infra.storage.failures import only_duplicates
from infra.storage.mongo import Document, patient

__all__ = ["LANES", "Aggregates", "Change", "Exists", "Fresh", "Lane", "Record", "Stale", "Stored", "Taken"]

WITHOUT_EVENTS = {"events": 0}

AT_A_TIME = 200
"""Documents of a transaction that are sent to the server together, while it works at those before them."""


class Exists(Exception):
    """An aggregate with this id is there already."""


class Stale(Exception):
    """The aggregate has changed since it was read."""


class Taken(Exception):
    """Another document holds a value that must be unique; `fields` names the index's fields."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = tuple(fields)


class Aggregates(Generic[S]):
    """The documents of one kind of aggregate, with their events.

    public: the whole public state, which every event carries. key: the record key, the id unless given.
    versions: in which the events are sent, each made of `public`.
    """

    def __init__(
        self,
        collection: Collection[Document],
        type_: type[S],
        *,
        topic: str,
        public: Callable[[S], Mapping[str, Any]],
        key: Callable[[S], str] | None = None,
        versions: Versions = FIRST,
    ) -> None:
        self.database = collection.database
        self.collection = collection
        self.archive = self.database[f"{collection.name}.archive"]
        self.topic = topic
        self.versions = versions
        self._documents = Documents(type_, topic=topic, public=public, key=key)

    @patient
    def ensure_indexes(self) -> None:
        """Makes the indexes that the relay and the archive need; safe to repeat."""
        self.collection.create_index(
            [("unsent.lane", 1), ("unsent.at", 1)],
            name="unsent",
            partialFilterExpression={"unsent.lane": {"$gte": 0}},
        )
        self.archive.create_index([("aggregate", 1), ("seq", 1)])

    # --- reading

    def get(self, id_: str, session: ClientSession | None = None) -> Stored[S] | None:
        """The aggregate with this id, or None."""
        document = self.collection.find_one({"_id": id_}, WITHOUT_EVENTS, session=session)
        return self.read(document) if document else None

    def many(self, ids: Iterable[str], session: ClientSession | None = None) -> dict[str, Stored[S]]:
        """Those of the ids that exist."""
        found = self.find({"_id": {"$in": list(ids)}}, session=session)
        return {str(one.state.id): one for one in found}  # type: ignore[attr-defined]

    def find(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int = 0,
        session: ClientSession | None = None,
    ) -> list[Stored[S]]:
        """All that match, without their events."""
        cursor = self.collection.find(query, WITHOUT_EVENTS, session=session, limit=limit)
        return [self.read(document) for document in (cursor.sort(list(sort)) if sort else cursor)]

    def read(self, document: Mapping[str, Any]) -> Stored[S]:
        """Turns a document into the aggregate."""
        return self._documents.read(document)

    # --- writing

    def insert(
        self,
        state: S,
        change: Change,
        *,
        session: ClientSession | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Stored[S]:
        """Stores a new aggregate. Raises Exists, or Taken where a unique index refuses."""
        document = self._documents.new(state, change, extra)
        try:
            self.collection.insert_one(document, session=session)
        except DuplicateKeyError as error:
            raise refusal(error.details) from None
        return self._documents.stored(state, document)

    def insert_many(
        self,
        items: Sequence[tuple[S, Change, Mapping[str, Any] | None]],
    ) -> list[Stored[S] | Exists | Taken]:
        """Stores many at once, each on its own: gives for each what was stored, or why it was refused.

        Raises PyMongoError where that can't be said; some may be stored then.
        """
        documents = [self._documents.new(*item) for item in items]
        results: list[Stored[S] | Exists | Taken] = [
            self._documents.stored(item[0], document) for item, document in zip(items, documents, strict=True)
        ]
        if not documents:
            return results
        try:
            self.collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            for failure in error.details["writeErrors"]:
                results[failure["index"]] = refusal(failure)
        return results

    def insert_all(
        self, items: Iterable[tuple[S, Change, Mapping[str, Any] | None]], session: ClientSession | None
    ) -> None:
        """Stores many in a transaction, all or none: one that is refused raises BulkWriteError.

        While the server stores some of them, the next ones are made.
        """
        made = (InsertOne(self._documents.new(*item)) for item in items)
        # The transaction's time is limited in this context.
        context = copy_context()
        # One thread: a session is for one at a time.
        with ThreadPoolExecutor(1, thread_name_prefix="inserting") as pool:
            under_way = [
                pool.submit(context.run, self.collection.bulk_write, some, ordered=False, session=session)
                for some in iter(lambda: list(islice(made, AT_A_TIME)), [])
            ]
        for each in under_way:
            each.result()

    def replace(
        self,
        stored: Stored[S],
        state: S,
        change: Change,
        *,
        session: ClientSession | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Stored[S]:
        """Saves the next state. Raises Stale when it was changed meanwhile, Taken where an index refuses.

        `extra` None keeps the derived fields as they are.
        """
        query, update, after = self._documents.update(stored, state, change, extra)
        try:
            result = self.collection.update_one(query, update, session=session)
        except DuplicateKeyError as error:
            raise refusal(error.details) from None
        if not result.matched_count:
            raise Stale
        return after

    def replace_many(
        self,
        items: Sequence[tuple[Stored[S], S, Change, Mapping[str, Any] | None]],
        *,
        session: ClientSession | None = None,
    ) -> list[bool]:
        """Saves many at once, each on its own; False for those that had changed meanwhile.

        In a transaction one that had changed undoes all: Stale is raised.
        """
        if not items:
            return []
        updates = [self._documents.update(*item) for item in items]
        writes = [UpdateOne(query, update) for query, update, _ in updates]
        result = self.collection.bulk_write(writes, ordered=False, session=session)
        if result.matched_count == len(updates):
            return [True] * len(updates)
        if session is not None:
            raise Stale
        ids = [query["_id"] for query, _, _ in updates]
        now = {row["_id"]: row["events"] for row in self.collection.find({"_id": {"$in": ids}}, {"events": 1})}
        return [update["$push"]["events"]["$each"][0] in now[query["_id"]] for query, update, _ in updates]

    @patient
    def fill(self) -> int:
        """Gives documents that lack a field its default, as they are read anyhow, so that queries find it; counts.

        For a field that came with a release; people may write meanwhile. Version and events stay as they are:
        nothing has happened.
        """
        filled = 0
        for name, default in self._documents.defaults().items():
            lacking = {name: {"$exists": False}}
            filled += self.collection.update_many(lacking, {"$set": {name: default}}).modified_count
        return filled

    # --- looking back

    def activity(self, id_: str) -> list[dict[str, Any]]:
        """Who did what, and when it was recorded and took effect, oldest first."""
        current = self.collection.find_one({"_id": id_}, {"events": 1}) or {"events": []}
        archived = [row["event"] for row in self.archive.find({"aggregate": id_}).sort("seq", 1)]
        return [
            {
                "who": event["actor"],
                "what": event["type"],
                "when": event["time"],
                "effective_at": event["effective_at"],
                "version": event["version"],
                "note": event.get("note"),
            }
            for event in [*archived, *current["events"]]
            if "topic" not in event
        ]


def refusal(details: Mapping[str, Any] | None) -> Exists | Taken:
    """Which unique index a duplicate-key error comes from."""
    pattern = (details or {}).get("keyPattern", {})
    return Exists() if list(pattern) == ["_id"] else Taken(tuple(pattern))
