"""How an aggregate's state and a change of it become documents: what is stored, and the events in it.

Pure: nothing here asks the database. Users import these names from `infra.storage.aggregates`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from bson import Timestamp

from infra.actor import Actor
from infra.messaging.envelope import derived_id
from infra.storage.mongo import Document

S = TypeVar("S", bound=msgspec.Struct)
Lane = Literal["live", "bulk"]

LANES: Mapping[Lane, int] = {"live": 0, "bulk": 1}
RESERVED = frozenset({"version", "seq", "effective_at", "updated_at", "changed", "events", "sent", "unsent"})


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
    extra: Mapping[str, Any] = {}


Fresh = Callable[[Stored[Any]], None]
"""Refuses a step that is based on another version than the one that is stored."""


class Documents(Generic[S]):
    """Makes the documents of one kind of aggregate, and reads them. The arguments are those of `Aggregates`."""

    def __init__(
        self,
        type_: type[S],
        *,
        topic: str,
        public: Callable[[S], Mapping[str, Any]],
        key: Callable[[S], str] | None,
    ) -> None:
        self._type = type_
        self._topic = topic
        self._public = public
        self._key = key
        self._fields = frozenset(type_.__struct_fields__) - {"id"}
        if clash := self._fields & RESERVED:
            raise TypeError(f"{type_.__name__} uses reserved names: {sorted(clash)}")
        self._known = self._fields | RESERVED | {"_id"}

    def defaults(self) -> dict[str, Any]:
        """What the state's fields are where a document says nothing, in the form in which it is stored."""
        given = {
            field.name: field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            for field in msgspec.structs.fields(self._type)
            if not field.required
        }
        made: dict[str, Any] = msgspec.to_builtins(given, builtin_types=(datetime,))
        return made

    def read(self, document: Mapping[str, Any]) -> Stored[S]:
        """Turns a document into the aggregate."""
        state = {name: document[name] for name in self._fields if name in document}
        read = msgspec.convert({"id": document["_id"], **state}, self._type, builtin_types=(datetime,))
        return self.stored(read, document)

    def new(self, state: S, change: Change, extra: Mapping[str, Any] | None) -> Document:
        """The document of a new aggregate, with its first events."""
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

    def update(
        self, stored: Stored[S], state: S, change: Change, extra: Mapping[str, Any] | None
    ) -> tuple[Document, Document, Stored[S]]:
        """What finds the version that was read, how it is changed, and the aggregate as it is afterwards."""
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
        return {"_id": after["_id"], "version": stored.version}, update, self.stored(state, document)

    def stored(self, state: S, document: Mapping[str, Any]) -> Stored[S]:
        """The aggregate of a document whose state is known."""
        return Stored(
            state=state,
            version=document["version"],
            seq=document["seq"],
            effective_at=document["effective_at"],
            updated_at=document["updated_at"],
            extra={name: value for name, value in document.items() if name not in self._known},
        )

    def _document(self, state: S) -> Document:
        document: Document = msgspec.to_builtins(state, builtin_types=(datetime,))
        document["_id"] = document.pop("id")
        return document

    def _events(self, state: S, change: Change, *, version: int, seq: int) -> list[Document]:
        id_: str = state.id  # type: ignore[attr-defined]
        records = [Record(type=change.type, topic=self._topic, data=self._public(state)), *change.extra]
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
            if record.topic != self._topic:
                event["topic"] = record.topic
            elif self._key:
                event["key"] = self._key(state)
            if change.note and number == seq:
                event["note"] = change.note
            events.append(event)
        return events
