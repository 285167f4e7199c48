"""The whole system on one machine: MongoDB, the broker, a mail sink, and API and worker of each service."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.addresses import Ports
from infra.local.brokers import choose_broker
from infra.local.environment import write_environment
from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.lock import HomeLock
from infra.local.mailsink import MailSink
from infra.local.mongod import Mongod
from infra.local.ports import LOOPBACK
from infra.local.process import Process
from infra.local.signals import undisturbed
from infra.local.supervisor import Backing, Child, Supervisor
from infra.settings import DEVELOPMENT, Settings, SettingsError

_READY_SECONDS = 300
KEPT, FRESH = "data", "demo"
"""Directories below the home: the databases of `make up`, and those that are thrown away."""


class System:
    """One copy. In use: `with System(home, fresh=True, echo=print) as system: system.urls["sessions"]`.

    home: BINA_HOME. ports: chosen from `env` unless given. fresh: start with empty databases in `home/demo`,
    which are removed at the next fresh start; else those in `home/data` are used and stay. echo: gets a line
    for each step. env: addresses in it (BINA_MONGODB_URI, BINA_KAFKA_BOOTSTRAP, BINA_SMTP_URL) come first.
    Entering raises CannotStart with a message for people.

    urls: address of each service's API. mail_url: the mail sink's page, "" where mails go elsewhere. environment:
    what the services are started with.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports | None = None,
        *,
        fresh: bool = False,
        echo: Callable[[str], None] = print,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.absolute()
        self.urls: dict[str, str] = {}
        self.mail_url = ""
        self.environment: dict[str, str] = {}
        self.mongodb_uri = ""
        self.kafka_bootstrap = ""
        self._env = dict(os.environ if env is None else env)
        self._ports = ports
        self._data = self.home / (FRESH if fresh else KEPT)
        self._fresh = fresh
        self._echo = echo
        self._lock = HomeLock(self.home)
        self._running = ExitStack()
        self._backing: list[Backing] = []
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Start everything and return when every part says that it is ready."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._lock.acquire()
        self._running.callback(self._lock.release)
        ports = self._ports or Ports.choose(self._env)
        self._prepare_directories()
        self._keys = DevelopmentKeys(self.home, self._env)
        self._start_mongodb()
        self._start_broker()
        smtp_url = self._start_mail(ports)
        self.urls = {service: ports.url(service) for service in ports.api}
        self._start_services(ports, smtp_url)

    def _prepare_directories(self) -> None:
        if self._fresh:
            shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True, exist_ok=True)
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        # One earlier run is kept to look at; more would only grow.
        for log in logs.glob("*.log"):
            log.replace(log.with_suffix(".log.before"))

    def _start_mongodb(self) -> None:
        self.mongodb_uri = self._env.get("BINA_MONGODB_URI", "")
        if not self.mongodb_uri:
            mongod = Mongod(self._data / "mongodb", log=self._log("mongodb"))
            self._echo(f"MongoDB starts on {LOOPBACK}:{mongod.port}")
            self._running.enter_context(mongod)
            self._backing.append(Backing(mongod))
            self.mongodb_uri = mongod.address

    def _start_broker(self) -> None:
        self.kafka_bootstrap = self._env.get("BINA_KAFKA_BOOTSTRAP", "")
        if not self.kafka_bootstrap:
            broker = choose_broker(self._env, data=self._data / "kafka", log=self._log("broker"))
            self._echo(f"The broker starts on {broker.address}")
            self._running.enter_context(broker)
            self._backing.append(Backing(broker))
            self.kafka_bootstrap = broker.address
            self._env["BINA_BROKER"] = broker.profile

    def _start_mail(self, ports: Ports) -> str:
        """The address to which services send."""
        if url := self._env.get("BINA_SMTP_URL"):
            return url
        sink = MailSink(self._data / "mail", ports.smtp, ports.mail)
        self._running.enter_context(sink)
        self.mail_url = sink.url
        self._echo(f"Mails are kept at {sink.url}")
        return sink.smtp_url

    def _start_services(self, ports: Ports, smtp_url: str) -> None:
        env = self.environment = {
            **self._env,
            **ports.environment(),
            "BINA_ENV": self._env.get("BINA_ENV") or DEVELOPMENT,
            "BINA_HOME": str(self.home),
            "BINA_MONGODB_URI": self.mongodb_uri,
            "BINA_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "BINA_BROKER": self._env.get("BINA_BROKER") or "kafka",
            "BINA_SMTP_URL": smtp_url,
            "BINA_JWKS": self._env.get("BINA_JWKS") or str(self._keys.jwks),
            # Their logs are files: nothing may wait in a buffer.
            "PYTHONUNBUFFERED": "1",
        }
        _check(ports.api, env)
        self._running.callback(write_environment(self.home, env).unlink, missing_ok=True)
        children = [
            child
            for service in ports.api
            for child in (
                self._child(service, "api", ports.api[service], env),
                self._child(service, "worker", ports.worker[service], env),
            )
        ]
        self._supervisor = Supervisor(children, self._echo, self._backing)
        self._echo(f"{len(ports.api)} services start, an API and a worker each")
        self._running.callback(self._supervisor.stop)
        self._supervisor.start()
        self._supervisor.wait_ready(_READY_SECONDS)

    def _child(self, service: str, role: str, port: int, env: Mapping[str, str]) -> Child:
        command = [sys.executable, "-m", f"services.{service}", role]
        process = Process(f"{service} {role}", command, log=self._log(f"{service}-{role}"), env=env)
        return Child(process, health=f"http://{LOOPBACK}:{port}/readyz")

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def issue_token(self, sub: str, roles: Iterable[str], unit: str | None = None, hours: float = 12) -> str:
        """A token that this copy's services accept (where BINA_JWKS doesn't name other keys)."""
        return self._keys.token(sub, roles, unit, hours)

    def restart(self, child: str) -> None:
        """End one process, such as "sessions worker", and return when it is ready again."""
        self._running_supervisor().restart(child)

    def process(self, child: str) -> Process:
        """One process, such as "sessions worker", as it is now."""
        return self._running_supervisor().process(child)

    def _running_supervisor(self) -> Supervisor:
        if self._supervisor is None:
            raise CannotStart("Nothing runs yet.")
        return self._supervisor

    def stop(self) -> None:
        """End everything, the services first. Safe to call twice; Ctrl-C can't interrupt it half-way."""
        with undisturbed():
            self._running.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _check(services: Iterable[str], env: Mapping[str, str]) -> None:
    """Refuse now what every service would refuse. Raises CannotStart with all faults."""
    for service in services:
        try:
            Settings.from_env(service, env)
        except SettingsError as error:
            raise CannotStart(str(error)) from error
