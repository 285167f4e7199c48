"""Small copies of other services' aggregates, kept from their events."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pymongo import InsertOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from infra.messaging.envelope import Event
from infra.storage.failures import DUPLICATE
from infra.storage.mongo import Document


class Copies:
    """One document an aggregate: `{_id, seq, changed, ...}`; an older event never overwrites a newer one.

    `apply` says nothing of what was new: a reaction that went by it would be lost if the process died between
    the two. Reactions run for every event, and are idempotent.
    """

    def __init__(self, collection: Collection[Document]) -> None:
        self.collection = collection

    def apply(
        self,
        events: Sequence[tuple[Event, Any]],
        to_document: Callable[[Event, Any], Mapping[str, Any]],
        session: ClientSession | None = None,
    ) -> None:
        """Takes in a batch of decoded events; `to_document` gives the fields of the copy, without `_id`, `seq`."""
        newest: dict[str, tuple[Event, Any]] = {}
        for event, data in events:
            if event.subject not in newest or newest[event.subject][0].seq < event.seq:
                newest[event.subject] = (event, data)
        ids = {"_id": {"$in": list(newest)}}
        known = {row["_id"]: row["seq"] for row in self.collection.find(ids, {"seq": 1}, session=session)}
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        for id_, (event, data) in newest.items():
            document = {"_id": id_, "seq": event.seq, **to_document(event, data)}
            if id_ not in known:
                writes.append(InsertOne(document))
            elif known[id_] < event.seq:
                writes.append(ReplaceOne({"_id": id_, "seq": {"$lt": event.seq}}, document))
        if writes:
            self._write(writes, session)

    def _write(
        self, writes: list[InsertOne[Document] | ReplaceOne[Document]], session: ClientSession | None
    ) -> None:
        try:
            self.collection.bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            # Another worker made the same copy in this moment; the retried batch will find it.
            if any(failure["code"] == DUPLICATE for failure in error.details["writeErrors"]):
                raise Overtaken from error
            raise


class Overtaken(Exception):
    """Two workers wrote the same copy at once, as may be while partitions move; to be tried again."""
