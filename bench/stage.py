"""Where everything is measured: one MongoDB on a real disk, one broker, and processes that come and go.

All sides of a figure meet the same MongoDB and the same broker, with the same settings.
"""

import http.client
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from rich.console import Console
from rich.progress import Progress

from bench.scale import Scale
from infra.local.brokers import choose_broker
from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.mongod import Mongod
from infra.local.ports import LOOPBACK, free_port
from infra.local.process import Process, wait_until
from infra.settings import PORTS, PROCESSES, Settings

START_SECONDS = 60


class Stage:
    """In use: `with Stage(scale, console) as stage`. Whatever it starts ends with it, and its data go.

    Addresses in the environment (BINA_MONGODB_URI, BINA_KAFKA_BOOTSTRAP) come first.
    """

    def __init__(self, scale: Scale, console: Console) -> None:
        self.scale = scale
        self.console = console
        # Not in memory: durable writes shall cost what they cost.
        self.home = Path(tempfile.mkdtemp(prefix="bina-bench-", dir=Path.home()))
        self.processes: dict[str, Process] = {}
        self._running = ExitStack()
        self._running.callback(shutil.rmtree, self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def _start(self) -> None:
        self.keys = DevelopmentKeys(self.home, {})
        self.mongodb_uri = os.environ.get("BINA_MONGODB_URI", "")
        self.kafka_bootstrap = os.environ.get("BINA_KAFKA_BOOTSTRAP", "")
        self.profile = os.environ.get("BINA_BROKER") or "kafka"
        if not self.mongodb_uri:
            mongod = self._running.enter_context(Mongod(self.home / "mongodb", cache_gb=1.5))
            self.processes["mongod"], self.mongodb_uri = mongod.process, mongod.address
        if not self.kafka_bootstrap:
            broker = choose_broker(os.environ, data=self.home / "kafka", log=self.home / "broker.log")
            self._running.enter_context(broker)
            self.processes["broker"], self.kafka_bootstrap = broker.process, broker.address
            self.profile = broker.profile
        self.client: MongoClient[dict[str, Any]] = MongoClient(self.mongodb_uri)
        self._running.callback(self.client.close)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], object]]:
        """A bar for what takes long; gives what is told how much more is done."""
        with Progress(console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda more: bar.advance(task, more)

    # --- settings

    def environment(self, service: str, space: str) -> dict[str, str]:
        """The variables of one service. space: names databases and topics, so that figures don't meet.

        Floors and peers, which are no services of ours, are served by as many processes as sessions.
        """
        processes = PROCESSES.get(service if service in PORTS else "sessions", 1)
        return {
            "BINA_ENV": "development",
            "BINA_HOME": str(self.home),
            "BINA_MONGODB_URI": self.mongodb_uri,
            "BINA_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "BINA_BROKER": self.profile,
            "BINA_JWKS": str(self.keys.jwks),
            "BINA_TOPIC_PREFIX": f"{space}.",
            f"BINA_{service.upper()}_DATABASE": f"bench_{space}_{service}",
            f"BINA_{service.upper()}_PORT": str(free_port()),
            f"BINA_{service.upper()}_PROCESSES": str(processes),
            f"BINA_{service.upper()}_WORKER_PORT": str(free_port()),
        }

    def settings(self, service: str, space: str) -> Settings:
        """The same, as a service reads them."""
        return Settings.from_env(service, self.environment(service, space))

    def drop(self, *spaces: str) -> None:
        """Removes the databases of spaces that are not needed any more."""
        for name in self.client.list_database_names():
            if any(name.startswith(f"bench_{space}_") for space in spaces):
                self.client.drop_database(name)

    # --- processes

    def server(self, name: str, command: Sequence[str], env: Mapping[str, str], service: str) -> int:
        """Starts `python -m <command>` and returns its port (that of the service in env) once it answers."""
        port = int(env[f"BINA_{service.upper()}_PORT"])
        process = self.start(name, command, env)
        if not wait_until(lambda: _answers(port), process, START_SECONDS):
            raise CannotStart(f"{name} did not start:\n{process.tail()}")
        return port

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Process:
        """Starts `python -m <command>`; its output goes to a file."""
        process = Process(name, [sys.executable, "-m", *command], log=self.home / f"{name}.log", env=env)
        process.start()
        self.processes[name] = process
        self._running.callback(process.stop, 5)
        return process

    def stop(self, *names: str) -> None:
        """Ends processes before the stage does."""
        for name in names:
            self.processes.pop(name).stop(5)


def _answers(port: int) -> bool:
    """Whether it answers anything: it may listen before its application is made."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
