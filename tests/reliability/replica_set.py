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

PATIENCE = 180.0
"""Seconds for three servers to start and agree, on a machine that is busy with others."""


class ReplicaSet:
    """In use: `with ReplicaSet() as members: members.address`. Members are named by their ports; killed by -9."""

    def __init__(self) -> None:
        self._mongods = [Mongod(cache_gb=0.25) for _ in range(MEMBERS)]
        hosts = ",".join(f"{LOOPBACK}:{mongod.port}" for mongod in self._mongods)
        self.address = f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for mongod in self._mongods:
            mongod.start()
            self._running.callback(mongod.stop)
        _until(self._initiated, seconds=PATIENCE)
        with self._client() as client:
            _until(lambda: client.primary is not None and len(client.secondaries) == MEMBERS - 1, seconds=PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _initiated(self) -> bool:
        """Makes all of them members at once: who is added later has no vote for a while."""
        members = [
            {"_id": number, "host": f"{LOOPBACK}:{mongod.port}"} for number, mongod in enumerate(self._mongods)
        ]
        # Longer than the two seconds between heartbeats, so that nobody stands for election without need.
        config = {"_id": REPLICA_SET, "members": members, "settings": {"electionTimeoutMillis": 4_000}}
        one = f"mongodb://{members[0]['host']}/?directConnection=true&serverSelectionTimeoutMS=1000"
        client: MongoClient[dict[str, Any]] = MongoClient(one)
        try:
            client.admin.command("replSetInitiate", config)
        except PyMongoError:
            return False
        finally:
            client.close()
        return True

    def elect_on_demand(self) -> None:
        """From now on who hears of nobody stays primary for minutes, and nobody becomes one but by `elect`."""
        with self._client() as client:
            config = client.admin.command("replSetGetConfig")["config"]
            config["version"] += 1
            config["settings"]["electionTimeoutMillis"] = 300_000
            client.admin.command("replSetReconfig", config)

    def elect(self, port: int) -> None:
        """Makes this member the primary, once a majority is there."""
        with self.alone(port) as one:
            _until(lambda: _stood(one), seconds=PATIENCE)

    def kill(self, *ports: int) -> None:
        """These members die at once."""
        for port in ports:
            self._member(port).process.kill()

    def kill_all_but(self, port: int) -> list[int]:
        """The others die; gives their ports. What the one that is left is told now, nobody else gets."""
        others = [mongod.port for mongod in self._mongods if mongod.port != port]
        self.kill(*others)
        return others

    def start_again(self, *ports: int) -> None:
        """Starts members that were killed, on their old data: they roll back what nobody else has."""
        for port in ports:
            self._member(port).start()

    def primary(self) -> int:
        """The port of the member that takes writes, once there is one."""
        with self._client() as client:
            _until(lambda: client.primary is not None, seconds=PATIENCE)
            return client.primary[1] if client.primary else 0

    def alone(self, port: int) -> MongoClient[dict[str, Any]]:
        """One member asked for what itself has, as primary or not, agreed on by the others or not."""
        return MongoClient(f"mongodb://{LOOPBACK}:{port}/?directConnection=true", serverSelectionTimeoutMS=30_000)

    def _member(self, port: int) -> Mongod:
        return next(mongod for mongod in self._mongods if mongod.port == port)

    def _client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.address, serverSelectionTimeoutMS=30_000)


def _stood(member: MongoClient[dict[str, Any]]) -> bool:
    """Whether the member stood for election, and is primary now."""
    try:
        if not member.admin.command("hello")["isWritablePrimary"]:
            member.admin.command("replSetStepUp")
    except PyMongoError:
        return False
    return bool(member.admin.command("hello")["isWritablePrimary"])


def _until(check: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("the replica set did not get ready")
        time.sleep(0.2)
