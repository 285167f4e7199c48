"""The connection to MongoDB: majority writes, one deadline for every call, times that know their zone."""

from datetime import UTC
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from infra.settings import Settings

Document = dict[str, Any]

TIMEOUT_MS = 10_000
"""Longest time that one database call may take, its retries included."""


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
