"""MongoDB and Apache Kafka in containers, for `make test CONTAINERS=1`.

testcontainers' own MongoDB has no replica set and its own Kafka wants another vendor's image, so both are
plain containers here. Images can be named in the environment (BINA_MONGODB_IMAGE, BINA_KAFKA_IMAGE).
"""

import io
import os
import tarfile
import time
from abc import ABC, abstractmethod
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from testcontainers.core.container import DockerContainer

from infra.local.broker import answers
from infra.local.errors import CannotStart
from tests.support import eventually

# The run removes its containers itself. The library's helper for that would be one more image to fetch; what it
# adds, cleaning up after a run that was killed, is `docker rm --force $(docker ps -q --filter label=bina.tests)`.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

_LABEL = "bina.tests"
_KAFKA_PORT = 9092
_MONGODB_PORT = 27017
_KAFKA = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9094",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{_KAFKA_PORT},CONTROLLER://0.0.0.0:9094",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    # Each test has topics of its own: thousands of partitions must not fill disk and memory with empty indexes.
    "KAFKA_LOG_INDEX_SIZE_MAX_BYTES": "1048576",
}


class _Container(ABC):
    """Started in `wait_ready`, since the first start may fetch the image for minutes."""

    def __init__(self, image: str, port: int) -> None:
        self.address = ""
        try:
            self.container = DockerContainer(image).with_exposed_ports(port).with_kwargs(labels={_LABEL: ""})
        except Exception as error:
            raise CannotStart(f"CONTAINERS=1 needs a Docker engine that runs: {error}") from error
        self._port = port

    def start(self) -> None:
        """Say what is about to take its time."""
        print(f"A container of {self.container.image} starts")

    def wait_ready(self) -> None:
        """Start it and wait until a client gets an answer. Raises CannotStart."""
        try:
            self.container.start()
            host, port = (
                self.container.get_container_host_ip(),
                int(self.container.get_exposed_port(self._port)),
            )
            self.get_ready(f"{host}:{port}")
        except Exception as error:
            raise CannotStart(
                f"CONTAINERS=1 needs a Docker engine that runs and has the images: {error}"
            ) from error

    @abstractmethod
    def get_ready(self, address: str) -> None:
        """Make the server usable at this address of ours."""

    def stop(self) -> None:
        """Remove it."""
        self.container.stop()


class MongoReplicaSet(_Container):
    """MongoDB 8 as a replica set of one, reached directly since its own name is known inside only."""

    def __init__(self) -> None:
        super().__init__(os.environ.get("BINA_MONGODB_IMAGE", "mongo:8.0"), _MONGODB_PORT)
        self.container.with_command("mongod --replSet bina --bind_ip_all")

    def get_ready(self, address: str) -> None:
        """Initiate the replica set and wait for its primary."""
        self.address = f"mongodb://{address}/?directConnection=true"
        with MongoClient[dict[str, Any]](self.address, serverSelectionTimeoutMS=500) as client:
            eventually(lambda: _initiated(client))
            eventually(lambda: client.admin.command("hello")["isWritablePrimary"])


def _initiated(client: MongoClient[dict[str, Any]]) -> bool:
    member = {"_id": 0, "host": f"localhost:{_MONGODB_PORT}"}
    try:
        client.admin.command("replSetInitiate", {"_id": "bina", "members": [member]})
    except PyMongoError:
        return False
    return True


class ApacheKafka(_Container):
    """Apache Kafka 4 in KRaft mode: it waits for a script that is written once its port is known."""

    _SCRIPT = "/tmp/start.sh"

    def __init__(self) -> None:
        super().__init__(os.environ.get("BINA_KAFKA_IMAGE", "apache/kafka:4.1.0"), _KAFKA_PORT)
        for name, value in _KAFKA.items():
            self.container.with_env(name, value)
        wait = f"while [ ! -f {self._SCRIPT} ]; do sleep 0.1; done; exec sh {self._SCRIPT}"
        self.container.with_command(["sh", "-c", wait])

    def get_ready(self, address: str) -> None:
        """Tell it the address under which we see it, and wait for its first answer."""
        self.address = address
        script = (
            f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{address}\nexec /etc/kafka/docker/run\n"
        ).encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(self._SCRIPT.rsplit("/", 1)[1])
            entry.size, entry.mode, entry.mtime = len(script), 0o755, int(time.time())
            tar.addfile(entry, io.BytesIO(script))
        self.container.get_wrapped_container().put_archive("/tmp", archive.getvalue())
        eventually(lambda: answers(address), timeout=90)
