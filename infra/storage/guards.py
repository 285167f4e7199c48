"""Rules across documents, safe against write skew.

MongoDB's transactions are snapshot isolated: two that read the same documents and write different ones both
commit. So a transaction first writes to a guard document of everything that its rule depends on; two that share
a guard then conflict, and one of them starts again.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pymongo import UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError
from pymongo.read_concern import ReadConcern

from infra.storage.mongo import Document

T = TypeVar("T")

GUARDS = "guards"


def transaction(database: Database[Document], keys: Iterable[str], work: Callable[[ClientSession], T]) -> T:
    """Runs `work` alone among all that name one of the same keys (`employee:<id>`, `batch:<id>`, ...).

    `work` may run more than once, so it must do nothing but database calls with the session it gets. What it
    raises (a Refused, say) undoes everything.
    """
    ordered = sorted(set(keys))
    _make(database, ordered)
    guards = database[GUARDS]

    def guarded(session: ClientSession) -> T:
        for key in ordered:
            guards.update_one({"_id": key}, {"$inc": {"touched": 1}}, session=session)
        return work(session)

    with database.client.start_session() as session:
        return session.with_transaction(
            guarded,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern(w="majority", j=True),
        )


def _make(database: Database[Document], keys: list[str]) -> None:
    """Guards must exist before: an upsert inside a transaction fails for good when two make the same one."""
    guards = database[GUARDS]
    known = {guard["_id"] for guard in guards.find({"_id": {"$in": keys}}, {"_id": 1})}
    missing = [key for key in keys if key not in known]
    if not missing:
        return
    upserts = [UpdateOne({"_id": key}, {"$setOnInsert": {"touched": 0}}, upsert=True) for key in missing]
    try:
        guards.bulk_write(upserts, ordered=False)
    except (BulkWriteError, DuplicateKeyError) as error:
        if not all(failure["code"] == 11000 for failure in (error.details or {}).get("writeErrors", [])):
            raise
