"""The connection to MongoDB: majority writes, one deadline for every call, times that know their zone."""

from collections.abc import Callable
from datetime import UTC
from functools import wraps
from typing import Any, Protocol, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from infra.settings import Settings

Document = dict[str, Any]

TIMEOUT_MS = 10_000
"""Longest time that one database call may take, its retries included."""

PATIENT_SECONDS = 24 * 3600.0
"""Time for calls that go through whole collections. MongoDB undoes an index that was not ready in time: with less
time than it takes, each start of a process would begin it anew. (`timeout(None)` means `TIMEOUT_MS` again.)"""


class OfDatabase(Protocol):
    """Whatever keeps its documents in one database."""

    database: Database[Document]


K = TypeVar("K", bound=OfDatabase)
R = TypeVar("R")


def connect(settings: Settings) -> Database[Document]:
    """The service's own database. Connects lazily; a server that can't be reached shows at the first call."""
    client: MongoClient[Document] = MongoClient(
        settings.mongodb_uri,
        appname=f"bina-{settings.service}",
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS // 2,
        maxPoolSize=64,
    )
    return client.get_database(
        settings.database,
        codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )


def ping(database: Database[Document]) -> None:
    """Raises PyMongoError when the database can't answer; for readiness checks."""
    database.command("ping")


def patient(work: Callable[[K], R]) -> Callable[[K], R]:
    """The same work with as much time as it takes; that the database can't be reached shows in the usual time."""

    @wraps(work)
    def patiently(keeper: K) -> R:
        ping(keeper.database)
        with pymongo.timeout(PATIENT_SECONDS):
            return work(keeper)

    return patiently
