"""Rules across documents, safe against write skew.

MongoDB's transactions are snapshot isolated: two that read the same documents and write different ones both
commit. So a transaction first writes to a guard document of everything that its rule depends on; two that share
a guard then conflict, and one of them starts again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import pymongo
from pymongo import UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from infra.storage.failures import only_duplicates
from infra.storage.mongo import Document

T = TypeVar("T")

GUARDS = "guards"
LONGEST_SECONDS = 15.0
"""How long a transaction may be tried. As long as MongoDB lets one live whose process has died: until then those
who share a guard with it find it taken, and must neither wait for ever nor keep the threads of everybody else."""

QUEUE_SECONDS = 2.0
_QUEUES = tuple(threading.Lock() for _ in range(256))


class _Missing(Exception):
    """A guard that nobody has named before."""


def transaction(database: Database[Document], keys: Iterable[str], work: Callable[[ClientSession], T]) -> T:
    """Runs `work` alone among all that name one of the same keys (`employee:<id>`, `batch:<id>`, ...).

    `work` may run more than once, so it must do nothing but database calls with the session it gets. What it
    raises (a Refused, say) undoes everything. Raises PyMongoError (a timeout) after `LONGEST_SECONDS`.
    """
    ordered = sorted(set(keys))
    with _queued(ordered), pymongo.timeout(LONGEST_SECONDS):
        try:
            return _transaction(database, ordered, work)
        except _Missing:
            # Seldom, so it is not asked for beforehand, which would be one call more for each transaction.
            _make(database, ordered)
            return _transaction(database, ordered, work)


def _transaction(database: Database[Document], ordered: list[str], work: Callable[[ClientSession], T]) -> T:
    guards = database[GUARDS]

    def guarded(session: ClientSession) -> T:
        touched = guards.update_many({"_id": {"$in": ordered}}, {"$inc": {"touched": 1}}, session=session)
        if touched.matched_count < len(ordered):
            raise _Missing
        return work(session)

    with database.client.start_session() as session:
        return session.with_transaction(
            guarded,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern(w="majority", j=True),
        )


@contextmanager
def _queued(keys: list[str]) -> Iterator[None]:
    """Lets the threads of this process wait for each other instead of spending the database's time on conflicts.

    Only a courtesy, not waited for long: what keeps the rules are the guards, which hold between processes, too.
    """
    places = sorted({hash(key) % len(_QUEUES) for key in keys})
    with ExitStack() as stack:
        for place in places:
            if _QUEUES[place].acquire(timeout=QUEUE_SECONDS):
                stack.callback(_QUEUES[place].release)
        yield


def _make(database: Database[Document], keys: list[str]) -> None:
    """Guards must exist before: an upsert inside a transaction fails for good when two make the same one."""
    upserts = [UpdateOne({"_id": key}, {"$setOnInsert": {"touched": 0}}, upsert=True) for key in keys]
    try:
        database[GUARDS].bulk_write(upserts, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
