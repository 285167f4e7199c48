"""One aggregate is one document, and it carries its own events.

A change is one conditional update: it checks `version`, sets the state, pushes the event (its wire form, ready
made) and marks the document as unsent. The relay does the rest. So state and event can't come apart, without an
outbox collection and, on the hot path, without a transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from bson import Timestamp
from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from infra.actor import Actor
from infra.messaging.envelope import derived_id
from infra.storage.mongo import Document

S = TypeVar("S", bound=msgspec.Struct)
Lane = Literal["live", "bulk"]

LANES: Mapping[Lane, int] = {"live": 0, "bulk": 1}
RESERVED = frozenset({"version", "seq", "effective_at", "updated_at", "changed", "events", "sent", "unsent"})
WITHOUT_EVENTS = {"events": 0}


class Exists(Exception):
    """An aggregate with this id is there already."""


class Stale(Exception):
    """The aggregate has changed since it was read."""


class Taken(Exception):
    """Another document holds a value that must be unique; `fields` names the index's fields."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = tuple(fields)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One more message that a change sends, to a topic of its own. `data` None is a tombstone."""

    type: str
    topic: str
    data: Mapping[str, Any] | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: `type` is aggregate and past tense (`pairing.activated`), `at` when it was recorded.

    `note` (a reason, say) stays in the activity of the aggregate and is never published.
    """

    type: str
    actor: Actor
    at: datetime
    effective_at: datetime
    note: str | None = None
    extra: tuple[Record, ...] = ()
    lane: Lane = "live"


class Stored(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """An aggregate as it is in the database. `extra` holds the derived fields that are no part of its state."""

    state: S
    version: int
    seq: int
    effective_at: datetime
    updated_at: datetime
    changed: Timestamp | None = None
    extra: Mapping[str, Any] = {}


class Aggregates(Generic[S]):
    """The documents of one kind of aggregate, with their events.

    public: the whole public state, which every event carries. key: the record key, the id unless given.
    """

    def __init__(
        self,
        collection: Collection[Document],
        type_: type[S],
        *,
        topic: str,
        public: Callable[[S], Mapping[str, Any]],
        key: Callable[[S], str] | None = None,
    ) -> None:
        self.collection = collection
        self.archive = collection.database[f"{collection.name}.archive"]
        self.topic = topic
        self._type = type_
        self._public = public
        self._key = key
        self._fields = frozenset(type_.__struct_fields__) - {"id"}
        if clash := self._fields & RESERVED:
            raise TypeError(f"{type_.__name__} uses reserved names: {sorted(clash)}")

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
        state = {name: document[name] for name in self._fields if name in document}
        extra = {
            name: value
            for name, value in document.items()
            if name != "_id" and name not in self._fields and name not in RESERVED
        }
        return Stored(
            state=msgspec.convert({"id": document["_id"], **state}, self._type, builtin_types=(datetime,)),
            version=document["version"],
            seq=document["seq"],
            effective_at=document["effective_at"],
            updated_at=document["updated_at"],
            changed=document.get("changed"),
            extra=extra,
        )

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
        document = self._new(state, change, extra)
        try:
            self.collection.insert_one(document, session=session)
        except DuplicateKeyError as error:
            raise refusal(error.details) from None
        return self._stored(state, document)

    def insert_many(
        self,
        items: Sequence[tuple[S, Change, Mapping[str, Any] | None]],
        *,
        session: ClientSession | None = None,
    ) -> list[Stored[S] | Exists | Taken]:
        """Stores many at once, each on its own: gives for each what was stored, or why it was refused.

        In a transaction one refusal undoes all, so it is raised.
        """
        documents = [self._new(*item) for item in items]
        results: list[Stored[S] | Exists | Taken] = [
            self._stored(item[0], document) for item, document in zip(items, documents, strict=True)
        ]
        if not documents:
            return results
        try:
            writes = [InsertOne(document) for document in documents]
            self.collection.bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            for failure in error.details["writeErrors"]:
                if failure["code"] != 11000 or session is not None:
                    raise
                results[failure["index"]] = refusal(failure)
        return results

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
        query, update, after = self._update(stored, state, change, extra)
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
        updates = [self._update(*item) for item in items]
        writes = [UpdateOne(query, update) for query, update, _ in updates]
        result = self.collection.bulk_write(writes, ordered=False, session=session)
        if result.matched_count == len(updates):
            return [True] * len(updates)
        if session is not None:
            raise Stale
        ids = [query["_id"] for query, _, _ in updates]
        now = {row["_id"]: row["events"] for row in self.collection.find({"_id": {"$in": ids}}, {"events": 1})}
        return [update["$push"]["events"]["$each"][0] in now[query["_id"]] for query, update, _ in updates]

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

    # --- how documents are made

    def _document(self, state: S) -> Document:
        document: Document = msgspec.to_builtins(state, builtin_types=(datetime,))
        document["_id"] = document.pop("id")
        return document

    def _new(self, state: S, change: Change, extra: Mapping[str, Any] | None) -> Document:
        document = self._document(state)
        events = self._events(state, change, version=1, seq=1)
        # The server puts its own time into an empty top-level timestamp: cursors of clients go by it.
        return {
            **document,
            **(extra or {}),
            "version": 1,
            "seq": len(events),
            "effective_at": change.effective_at,
            "updated_at": change.at,
            "changed": Timestamp(0, 0),
            "events": events,
            "sent": 0,
            "unsent": {"lane": LANES[change.lane], "at": change.at},
        }

    def _update(
        self, stored: Stored[S], state: S, change: Change, extra: Mapping[str, Any] | None
    ) -> tuple[Document, Document, Stored[S]]:
        before, after = self._document(stored.state), self._document(state)
        version = stored.version + 1
        events = self._events(state, change, version=version, seq=stored.seq + 1)
        fields = {name: value for name, value in after.items() if before.get(name) != value}
        fields.pop("_id", None)
        fields |= extra or {}
        fields |= {
            "version": version,
            "seq": stored.seq + len(events),
            "effective_at": change.effective_at,
            "updated_at": change.at,
            "unsent": {"lane": LANES[change.lane], "at": change.at},
        }
        update = {
            "$set": fields,
            "$push": {"events": {"$each": events}},
            "$currentDate": {"changed": {"$type": "timestamp"}},
        }
        document = {**after, **stored.extra, **fields}
        return {"_id": after["_id"], "version": stored.version}, update, self._stored(state, document)

    def _events(self, state: S, change: Change, *, version: int, seq: int) -> list[Document]:
        id_: str = state.id  # type: ignore[attr-defined]
        records = [Record(type=change.type, topic=self.topic, data=self._public(state)), *change.extra]
        events = []
        for number, record in enumerate(records, start=seq):
            event: Document = {
                "seq": number,
                "id": derived_id(record.type.split(".")[0], id_, str(number)),
                "type": record.type,
                "version": version,
                "time": change.at,
                "effective_at": change.effective_at,
                "actor": change.actor.sub,
                "body": None if record.data is None else msgspec.json.encode(record.data),
            }
            if record.topic != self.topic:
                event["topic"] = record.topic
            elif self._key:
                event["key"] = self._key(state)
            if change.note and number == seq:
                event["note"] = change.note
            events.append(event)
        return events

    def _stored(self, state: S, document: Mapping[str, Any]) -> Stored[S]:
        known = self._fields | RESERVED | {"_id"}
        return Stored(
            state=state,
            version=document["version"],
            seq=document["seq"],
            effective_at=document["effective_at"],
            updated_at=document["updated_at"],
            extra={name: value for name, value in document.items() if name not in known},
        )


def refusal(details: Mapping[str, Any] | None) -> Exists | Taken:
    """Which unique index a duplicate-key error comes from."""
    pattern = (details or {}).get("keyPattern", {})
    return Exists() if list(pattern) == ["_id"] else Taken(tuple(pattern))
