"""The whole system on one machine: MongoDB, the broker, a mail sink, and API and worker of each service."""

import os
import shutil
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.addresses import SERVICES, Ports
from infra.local.broker import EmbeddedBroker, check_profile
from infra.local.keys import DevelopmentKeys
from infra.local.lock import HomeLock
from infra.local.mailsink import MailSink
from infra.local.mongod import Mongod
from infra.local.ports import LOOPBACK
from infra.local.process import Process
from infra.local.supervisor import Child, Supervisor

Echo = Callable[[str], None]
_READY_SECONDS = 120


class System:
    """One copy. In use: `with System(home, fresh=True, echo=print) as system: system.urls["sessions"]`.

    home: BINA_HOME. ports: chosen from `env` unless given. fresh: start with empty databases in `home/demo`,
    which are removed at the next fresh start; else those in `home/data` are used and stay. echo: gets a line for
    each step. env: addresses in it (BINA_MONGODB_URI, BINA_KAFKA_BOOTSTRAP, BINA_SMTP_URL) come first.
    Entering raises CannotStart with a message for people.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports | None = None,
        *,
        fresh: bool = False,
        echo: Echo = print,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.absolute()
        self.urls: dict[str, str] = {}
        self.mail_url = ""
        self.mongodb_uri = ""
        self.kafka_bootstrap = ""
        self._env = dict(os.environ if env is None else env)
        self._ports = ports
        self._fresh = fresh
        self._echo = echo
        self._stops: list[Callable[[], object]] = []
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Start everything and return when every part says that it is ready."""

    def issue_token(self, sub: str, roles: Iterable[str], unit: str | None = None, hours: float = 12) -> str:
        """A token that this copy's services accept."""

    def restart(self, child: str) -> None:
        """End one process ("sessions worker") and start it again; returns when it is ready."""

    def wait(self) -> None:
        """Return when the process is asked to end (raises KeyboardInterrupt)."""

    def stop(self) -> None:
        """End everything, the services first. Safe to call twice."""
