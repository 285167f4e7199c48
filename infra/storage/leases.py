"""A lease: at most one holder at a time, by the database's clock."""

import os
import socket
import uuid
from datetime import UTC, datetime

from prometheus_client import Gauge
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from infra.storage.mongo import Document

HELD = Gauge("bina_lease_held", "1 where this process holds the lease", ["database", "lease"])
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Lease:
    """The right to be the one who does `name`, for `seconds` at a time.

    It can't fence others: a holder that was frozen past its end may still act for a moment, and what it does
    must be harmless then.
    """

    def __init__(self, database: Database[Document], name: str, seconds: float = 10.0) -> None:
        self._leases = database["leases"]
        self._name = name
        self._ms = int(seconds * 1000)
        # Told by `status`, so that one knows which process it is.
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._held = HELD.labels(database.name, name)

    def acquire(self) -> bool:
        """Takes or prolongs the lease; False while somebody else holds it."""
        held = False
        try:
            held = self._take()
        finally:
            self._held.set(held)
        return held

    def _take(self) -> bool:
        until = {"$add": ["$$NOW", self._ms]}
        # Nobody can have it for so long: it is from a time when the database's clock ran ahead. (Twice, since the
        # clock of a command that met another one stands still.)
        free = {
            "$or": [
                {"owner": self.owner},
                {"$expr": {"$lt": ["$until", "$$NOW"]}},
                {"$expr": {"$gt": ["$until", {"$add": ["$$NOW", 2 * self._ms]}]}},
            ]
        }
        take = [{"$set": {"owner": self.owner, "until": until}}]
        if self._leases.update_one({"_id": self._name, **free}, take).matched_count:
            return True
        try:
            self._leases.insert_one({"_id": self._name, "owner": None, "until": LONG_AGO})
        except DuplicateKeyError:
            return False
        return bool(self._leases.update_one({"_id": self._name, **free}, take).matched_count)

    def release(self) -> None:
        """Gives it back at once, so that the next holder need not wait."""
        self._leases.update_one(
            {"_id": self._name, "owner": self.owner}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}]
        )
        self._held.set(0)
