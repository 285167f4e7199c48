"""Apache Kafka without Docker: one node in KRaft mode, its jars fetched by Maven."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.broker import answers
from infra.local.errors import CannotStart
from infra.local.ports import LOOPBACK, free_port
from infra.local.process import Process, wait_until

POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17


def java_binary() -> str:
    """The `java` of the PATH. Raises CannotStart when it is missing or too old."""
    java = shutil.which("java")
    if java is None:
        raise CannotStart(f"BROKER=kafka needs Java {OLDEST_JAVA} or newer (`java` in the PATH). {OTHERWISE}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if version is None or int(version.group(1)) < OLDEST_JAVA:
        raise CannotStart(f"BROKER=kafka needs Java {OLDEST_JAVA} or newer; {java} is older. {OTHERWISE}")
    return java


OTHERWISE = "Or leave BROKER out for the embedded broker, or set BINA_KAFKA_BOOTSTRAP to a broker that runs."


def jars() -> Path:
    """The directory with Kafka's jars, fetched with Maven the first time. Raises CannotStart."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bina"
    target = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if target.exists():
        return target
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart(f"BROKER=kafka needs Maven (`mvn` in the PATH), to fetch Apache Kafka once. {OTHERWISE}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        shutil.copy(POM, work)
        libs = Path(work) / "libs"
        command = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={libs}"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
            raise CannotStart(f"Maven could not fetch Apache Kafka:\n{last}\n{OTHERWISE}")
        try:
            libs.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target


class ApacheKafka:
    """One broker on a free loopback port. Its log stays in `data`; without it, in a directory that is removed.

    advertised: the address that it gives to clients, where they come through something else than `address`.
    In use: `with ApacheKafka() as broker: broker.address`.
    """

    profile = "kafka"

    def __init__(
        self, data: Path | None = None, *, log: Path | None = None, advertised: str | None = None
    ) -> None:
        self._throw_away = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="bina-kafka-"))
        self.data.mkdir(parents=True, exist_ok=True)
        self.address = f"{LOOPBACK}:{free_port()}"
        self._advertised = advertised or self.address
        self._controller = f"{LOOPBACK}:{free_port()}"
        self._java = [java_binary(), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
        self._class_path = f"{jars()}/*"
        self.process = Process(
            "Apache Kafka",
            [*self._java, "-cp", self._class_path, "kafka.Kafka", str(self._properties_file)],
            log=log or self.data / "kafka.log",
        )

    @property
    def _properties_file(self) -> Path:
        return self.data / "server.properties"

    def start(self) -> None:
        """Format the directory if it is new, and start the process; usable once `wait_ready` has returned."""
        self._properties_file.write_text(self._properties())
        if not (self.data / "log" / "meta.properties").exists():
            self._format()
        self.process.start()

    def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With "=" in between: a name may begin with "-", and would be taken for an option.
        options = [f"--cluster-id={cluster}", f"--config={self._properties_file}"]
        command = [*self._java, "-cp", self._class_path, "kafka.tools.StorageTool", "format", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CannotStart(
                f"Apache Kafka could not prepare {self.data}:\n{done.stdout[-500:]}{done.stderr[-500:]}"
            )

    def _properties(self) -> str:
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{self._controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self._advertised}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.data / "log"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            # One member joins at a time here; there is nobody to wait for.
            "group.initial.rebalance.delay.ms": "0",
            # Many small topics, of tests above all, must not fill the disk with empty index files.
            "log.index.size.max.bytes": "1048576",
        }
        return "".join(f"{name}={value}\n" for name, value in properties.items())

    def wait_ready(self, seconds: float = 180) -> None:
        """Wait until it answers a client. Raises CannotStart."""
        if not wait_until(lambda: answers(self.address), self.process, seconds):
            output = self.process.tail()
            self.stop()
            raise CannotStart(f"Apache Kafka did not start. Its last lines:\n{output}")

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
