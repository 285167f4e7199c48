"""MongoDB and the broker behind a test run: addresses in the environment come first, else they are started.

The processes start at once and get ready in the background; whoever needs them waits for their addresses.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from infra.local.broker import EmbeddedBroker
from infra.local.brokers import choose_broker
from infra.local.errors import CannotStart
from infra.local.mongod import Mongod
from tests.containers import ApacheKafka, MongoReplicaSet
from tests.support import eventually


class Part(Protocol):
    """What can be started at once, waited for, and stopped. address: final once it is ready."""

    @property
    def address(self) -> str:
        """What its clients connect to."""

    def start(self) -> None:
        """Begin; returns at once."""

    def wait_ready(self) -> None:
        """Return when it can be used. Raises CannotStart."""

    def stop(self) -> None:
        """End it and remove its data."""


class Backing:
    """state: directory in which the addresses, or why there are none, are left for the other processes."""

    def __init__(self, state: Path, env: Mapping[str, str]) -> None:
        self._state = state
        self._env = env
        self._parts: dict[str, Part] = {}
        self._thread = threading.Thread(target=self._get_ready, name="backing")
        self.trouble = ""

    def start(self) -> None:
        """Start what the environment does not name, from a thread that lasts: the processes die with it.

        Raises CannotStart. What goes wrong later is told in `trouble`.
        """
        self._choose()
        for part in self._parts.values():
            part.start()
        self._thread.start()

    def _choose(self) -> None:
        containers = self._env.get("CONTAINERS") == "1"
        if not self._env.get("BINA_MONGODB_URI"):
            self._parts["mongodb_uri"] = MongoReplicaSet() if containers else Mongod(cache_gb=0.25)
        if not self._env.get("BINA_KAFKA_BOOTSTRAP"):
            self._parts["kafka_bootstrap"] = ApacheKafka() if containers else choose_broker(self._env)

    def _get_ready(self) -> None:
        try:
            for part in self._parts.values():
                part.wait_ready()
        except CannotStart as error:
            self.trouble = str(error)
            self._leave({"error": self.trouble})
        else:
            self._leave(self._addresses())

    def _addresses(self) -> dict[str, str]:
        embedded = isinstance(self._parts.get("kafka_bootstrap"), EmbeddedBroker)
        return {
            "mongodb_uri": self._env.get("BINA_MONGODB_URI", ""),
            "kafka_bootstrap": self._env.get("BINA_KAFKA_BOOTSTRAP", ""),
            "broker_profile": "embedded" if embedded else self._env.get("BINA_BROKER", "kafka"),
            **{name: part.address for name, part in self._parts.items()},
        }

    def _leave(self, content: Mapping[str, str]) -> None:
        draft = self._state / "addresses.draft"
        draft.write_text(json.dumps(content))
        draft.rename(self._state / "addresses.json")

    def stop(self) -> None:
        """End what was started here."""
        if self._thread.ident is not None:
            self._thread.join()
        for part in self._parts.values():
            part.stop()


def addresses(state: Path) -> Mapping[str, str]:
    """mongodb_uri, kafka_bootstrap and broker_profile of this run, once all is ready. Raises CannotStart."""
    path = state / "addresses.json"
    eventually(path.exists, timeout=300)
    content: dict[str, str] = json.loads(path.read_text())
    if "error" in content:
        raise CannotStart(content["error"])
    return content
