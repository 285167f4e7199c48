"""The system as it is attacked: MongoDB, broker and APIs behind proxies, services as processes, wrong clocks."""

import contextlib
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo.errors import PyMongoError

from chaos.proxy import Proxy
from infra.local.addresses import Ports
from infra.local.brokers import choose_broker
from infra.local.mongod import Mongod
from infra.local.ports import LOOPBACK, free_port
from infra.local.process import Process
from infra.local.supervisor import Child, Supervisor
from infra.local.system import System
from infra.settings import DEVELOPMENT, PORTS, Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect

MAIL_WINDOW_SECONDS = "1"


class Rig:
    """One system with a handle on each of its parts. In use: `with Rig(home, env, echo) as rig`.

    mongodb, kafka: the proxies in front of them. doors: those in front of the APIs that phones and HR ask. extra:
    further workers that run now, by name.
    """

    def __init__(self, home: Path, env: Mapping[str, str], echo: Callable[[str], None]) -> None:
        self.home = home.absolute()
        self.home.mkdir(parents=True, exist_ok=True)
        self.mongodb, self.kafka = Proxy(), Proxy(kafka=True)
        self.doors = {service: Proxy() for service in ("enrollment", "sessions")}
        self.extra: dict[str, Supervisor] = {}
        self.mongod = Mongod(log=self.home / "mongod.log")
        self.broker = choose_broker(env, log=self.home / "broker.log", advertised=self.kafka.address)
        self._env = {name: value for name, value in env.items() if not name.startswith("BINA_")}
        self._clocks = self.home / "clocks"
        self._echo = echo
        self._numbers = iter(range(2, 1_000_000))
        self._ports = _free_ports()
        self._running = ExitStack()
        self.system: System

    @property
    def embedded(self) -> bool:
        """Whether the broker lives in memory, so that its death empties it."""
        return self.broker.profile == "embedded"

    def settings(self, service: str) -> Settings:
        """Of one service, as it runs."""
        return Settings.from_env(service, self.system.environment)

    # --- starting and ending

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _start(self) -> None:
        self._clocks.mkdir(exist_ok=True)
        for proxy in (self.mongodb, self.kafka, *self.doors.values()):
            self._running.enter_context(proxy)
        for service, door in self.doors.items():
            door.lead_to(self._ports.api[service])
        self.mongodb.lead_to(self.mongod.port)
        self.kafka.lead_to(int(self.broker.address.rpartition(":")[2]))
        self._running.enter_context(self.mongod)
        self._running.enter_context(self.broker)
        self._running.callback(self._end_extra)
        self.system = System(self.home, self._ports, fresh=True, echo=self._echo, env=self._environment())
        self._running.enter_context(self.system)

    def _environment(self) -> dict[str, str]:
        return {
            **self._env,
            "BINA_ENV": DEVELOPMENT,
            # Directly: the replica set's own address would lead past the proxy.
            "BINA_MONGODB_URI": f"mongodb://{self.mongodb.address}/?directConnection=true",
            "BINA_KAFKA_BOOTSTRAP": self.kafka.address,
            "BINA_BROKER": self.broker.profile,
            "BINA_MAIL_WINDOW_SECONDS": MAIL_WINDOW_SECONDS,
            "BINA_CLOCK_OFFSETS": str(self._clocks),
        }

    def aggregates(self, service: str) -> Sequence[Aggregates[Any]]:
        """All that publishes events, connected anew."""
        found: Sequence[Aggregates[Any]] = import_module(f"services.{service}.app").aggregates(
            self.settings(service)
        )
        return found

    # --- parts

    def process(self, name: str) -> Process:
        """The process with this name: "sessions api", "reporting worker 2", "mongod", "broker"."""
        if name == "mongod":
            return self.mongod.process
        if name == "broker":
            return self.broker.process
        return self.extra[name].process(name) if name in self.extra else self.system.process(name)

    def services(self, role: str) -> list[str]:
        """Names of the processes that run as `api` or `worker`."""
        return [f"{service} {role}" for service in PORTS] + [name for name in self.extra if role in name]

    def workers(self, service: str) -> list[str]:
        """Names of the workers of one service that run now."""
        names = [name for name in self.services("worker") if name.startswith(service)]
        return [name for name in names if self.process(name).running]

    def relay_of(self, service: str) -> str | None:
        """The worker that publishes the service's events, by its lease; None where that can't be said now."""
        database = connect(self.settings(service))
        try:
            lease = database["leases"].find_one({"_id": "relay"})
        except PyMongoError:
            return None
        finally:
            database.client.close()
        pid = int(lease["owner"].split("/")[1]) if lease and lease["owner"] else None
        return next((name for name in self.workers(service) if self.process(name).pid == pid), None)

    def kill(self, name: str) -> None:
        """`kill -9` of the process and its children."""
        self.process(name).kill()

    def freeze(self, name: str) -> int | None:
        """SIGSTOP; the group to thaw, None when it isn't there any more."""
        pid = self.process(name).pid
        if pid is None or not _signal(pid, signal.SIGSTOP):
            return None
        return pid

    def thaw(self, group: int) -> None:
        """SIGCONT. Nothing happens when the group is gone."""
        _signal(group, signal.SIGCONT)

    def start_again(self, name: str) -> None:
        """Starts MongoDB or the broker after it was killed; services are started again by their supervisor."""
        part = self.mongod if name == "mongod" else self.broker
        part.start()
        part.wait_ready()

    # --- workers added and taken away

    def add_worker(self, service: str) -> str:
        """One more worker of the service, which is looked after as the others are; gives its name."""
        name, port = f"{service} worker {next(self._numbers)}", free_port()
        env = {**self.system.environment, f"BINA_{service.upper()}_WORKER_PORT": str(port)}
        command = [sys.executable, "-m", f"services.{service}", "worker"]
        log = self.home / "logs" / f"{name.replace(' ', '-')}.log"
        child = Child(Process(name, command, log=log, env=env), health=f"http://{LOOPBACK}:{port}/readyz")
        self.extra[name] = Supervisor([child], self._echo)
        self.extra[name].start()
        return name

    def take_worker_away(self, name: str) -> None:
        """Ends a worker as it is ended in operation: SIGTERM. One that is not extra is started again."""
        if name in self.extra:
            self.extra.pop(name).stop()
        else:
            self.process(name).terminate()

    def _end_extra(self) -> None:
        for name in list(self.extra):
            self.take_worker_away(name)

    # --- the clocks of all services

    def clocks(self) -> list[str]:
        """Names of all processes that have a clock of their own."""
        return [*self.services("api"), *self.services("worker")]

    def set_clock(self, name: str, offset: float) -> None:
        """Lets the clock of one process go wrong by so many seconds, also after its next start."""
        draft = self._clocks / "draft"
        draft.write_text(str(offset))
        draft.rename(self._clocks / name)

    # --- health

    def unready(self) -> list[str]:
        """Names of those that can't work at the moment."""
        ports = {f"{service} api": port for service, port in self._ports.api.items()}
        ports |= {f"{service} worker": port for service, port in self._ports.worker.items()}
        return [name for name, port in ports.items() if not _ready(port)]


def _free_ports() -> Ports:
    apis = {service: free_port() for service in PORTS}
    workers = {service: free_port() for service in PORTS}
    return Ports(apis, workers, smtp=free_port(), mail=free_port())


def _signal(group: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
