"""Three mongods on one machine, one replica set: what dies is followed by another."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from infra.local.mongod import REPLICA_SET, Mongod
from infra.local.ports import LOOPBACK

MEMBERS = 3


class ReplicaSet:
    """In use: `with ReplicaSet() as members: members.address`; `kill_primary` is a kill -9."""

    def __init__(self) -> None:
        self._mongods = [Mongod(cache_gb=0.25) for _ in range(MEMBERS)]
        hosts = ",".join(f"{LOOPBACK}:{mongod.port}" for mongod in self._mongods)
        self.address = f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        first, *others = self._mongods
        for mongod in self._mongods:
            mongod.start()
            self._running.callback(mongod.stop)
        first.wait_ready()
        self._invite(others)
        with self._client() as client:
            _until(lambda: len(client.secondaries) == len(others), seconds=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _invite(self, others: list[Mongod]) -> None:
        """Makes the others members, one at a time as MongoDB wants it."""
        with self._client() as client:
            for number, mongod in enumerate(others, start=1):
                member = {"_id": number, "host": f"{LOOPBACK}:{mongod.port}", "priority": 1, "votes": 1}
                _until(lambda member=member: _add(client, member), seconds=60)

    def kill_primary(self) -> int:
        """The primary dies at once; gives its port."""
        with self._client() as client:
            _until(lambda: client.primary is not None, seconds=30)
            port = client.primary[1] if client.primary else 0
        next(mongod for mongod in self._mongods if mongod.port == port).process.kill()
        return port

    def start_again(self, port: int) -> None:
        """Starts a member that was killed, on its old data: it rolls back what nobody else has."""
        next(mongod for mongod in self._mongods if mongod.port == port).start()

    def _client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.address, serverSelectionTimeoutMS=30_000)


def _add(client: MongoClient[dict[str, Any]], member: dict[str, Any]) -> bool:
    config = client.admin.command("replSetGetConfig")["config"]
    config["members"].append(member)
    config["version"] += 1
    try:
        client.admin.command("replSetReconfig", config)
    except PyMongoError:
        return False
    return True


def _until(check: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("the replica set did not get ready")
        time.sleep(0.2)
