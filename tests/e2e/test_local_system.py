"""The whole system starts with one call, bears the death of a part, and ends without a trace."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from infra.local.addresses import Ports
from infra.local.environment import running_environment
from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.mongod import Mongod
from infra.local.ports import SHARE, free_port
from infra.local.system import KEPT, System
from infra.settings import PORTS
from tests.support import eventually, fetch

# One process runs them all, so that they share one system.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("local system")]


def free_ports() -> Ports:
    """Ports that this test has for itself, whatever else runs."""
    apis = {service: free_port() for service in PORTS}
    workers = {service: free_port() for service in PORTS}
    return Ports(apis, workers, smtp=free_port(), mail=free_port())


def local(*arguments: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """One command of make."""
    command = [sys.executable, "-m", "infra.local", *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def environment() -> dict[str, str]:
    """Ours without addresses, so that all parts are started."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BINA_") or name == SHARE}


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> Iterator[System]:
    home = tmp_path_factory.mktemp("home")
    with System(home, free_ports(), fresh=True, echo=said.append, env=environment()) as system:
        yield system
    eventually(lambda: processes_of(home) == [], timeout=10)


def processes_of(home: Path | str) -> list[int]:
    """Every process on this machine that was started for this home, or with this address."""
    mark = f"BINA_HOME={home}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in environ.split(b"\0") or str(home).encode() in command:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("service", PORTS)
def test_every_service_is_ready_and_wants_a_token(system: System, service: str) -> None:
    url = system.urls[service]
    assert fetch(f"{url}/readyz").status_code == 200
    assert fetch(f"{url}/openapi.json").status_code == 200


def test_its_tokens_are_accepted_and_others_are_not(system: System) -> None:
    url = f"{system.urls['enrollment']}/v1/units"
    token = system.issue_token("someone", ["hr"])
    assert fetch(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert fetch(url, headers={"Authorization": f"Bearer {token[:-8]}AAAAAAAA"}).status_code == 401
    assert fetch(url).status_code == 401


def test_a_part_that_is_killed_comes_back(system: System, said: list[str]) -> None:
    victim = next(
        process
        for process in processes_of(system.home)
        if b"services.sessions\0worker" in Path(f"/proc/{process}/cmdline").read_bytes()
    )
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: any("sessions worker ended" in line for line in said))
    system.restart("sessions worker")


def test_mongodb_and_the_broker_come_back_when_killed(system: System, said: list[str]) -> None:
    """The services wait for them, none is started anew: what is changed afterwards is kept and published."""
    before = len(said)
    marks = "--dbpath", f"tcp://{system.kafka_bootstrap}", "kafka.Kafka"
    for process in {*processes_of(system.home), *processes_of(system.kafka_bootstrap)}:
        if any(mark.encode() in Path(f"/proc/{process}/cmdline").read_bytes() for mark in marks):
            os.kill(process, signal.SIGKILL)
    unit, url = {"name": "Dinas Contoh", "kind": "city"}, f"{system.urls['enrollment']}/v1/units/EXAMPLE"
    headers = {"Authorization": f"Bearer {system.issue_token('someone', ['hr'])}"}
    eventually(lambda: sum(" ended (" in line for line in said[before:]) == 2)
    eventually(lambda: fetch(url, "PUT", json=unit, headers=headers).status_code in (200, 201))
    with MongoClient[dict[str, Any]](system.mongodb_uri) as client:
        units = client["bina_enrollment"]["units"]
        eventually(lambda: units.find_one({"_id": "EXAMPLE", "unsent": {"$exists": False}}))
    assert len(said) == before + 2


def test_how_it_stands_is_shown_for_every_service(system: System) -> None:
    """`make ops`: each with its tables, the relay held by a worker; a service's own commands work as well."""
    env = {**environment(), "BINA_HOME": str(system.home)}

    def told() -> list[str]:
        done = local("ops", env=env)
        assert done.returncode == 0
        return done.stdout.splitlines()

    def relaying() -> list[str]:
        return [line for line in told() if re.search(r"^    relay +\S+/\d+/\S+ +\d+ s$", line)]

    eventually(lambda: len(relaying()) == 3)
    lines = eventually(told)
    assert [line for line in lines if line in PORTS] == list(PORTS)
    for title in ("leases", "waiting to be published", "consumers", "dead letters", "timers"):
        assert sum(line.startswith(f"  {title}") for line in lines) == len(PORTS), title
    command = [sys.executable, "-m", "services.sessions", "dead-letters", "list"]
    done = subprocess.run(
        command, env=running_environment(system.home), capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "0 dead letters"


def test_a_second_copy_on_the_same_home_is_told_so(system: System) -> None:
    with pytest.raises(CannotStart, match="already running"):
        System(system.home, free_ports(), echo=lambda _: None, env=environment()).start()


def test_what_every_service_would_refuse_is_said_at_once(tmp_path: Path) -> None:
    """Development keys open nothing elsewhere: no service is started only to die."""
    env = {**environment(), "BINA_ENV": "production"}
    with pytest.raises(CannotStart, match="development key"):
        System(tmp_path, free_ports(), echo=lambda _: None, env=env).start()
    eventually(lambda: processes_of(tmp_path) == [], timeout=10)


def test_up_and_down_keep_the_data_and_a_backup_brings_them_back(tmp_path: Path) -> None:
    """`make up`, a unit, `make backup`, `make down`; later, with MongoDB on another port, the unit is still there.

    After `make reset` it is not, and after `make restore` it is again.
    """
    ports = free_ports()
    env = {**environment(), **ports.environment(), "BINA_HOME": str(tmp_path), "BINA_MAIL_PORT": str(ports.mail)}
    saved = tmp_path / "saved"
    headers = {"Authorization": f"Bearer {DevelopmentKeys(tmp_path, env).token('someone', ['hr'])}"}
    output = tmp_path / "output"
    with output.open("wb") as file:
        command = [sys.executable, "-m", "infra.local"]
        up = subprocess.Popen([*command, "up"], stdout=file, stderr=file, env=env)
        try:
            eventually(lambda: "READY" in output.read_text() or up.poll() is not None, timeout=120)
            unit = {"name": "Dinas Contoh", "kind": "city"}
            url = f"{ports.url('enrollment')}/v1/units/EXAMPLE"
            assert fetch(url, "PUT", json=unit, headers=headers).status_code == 201
            assert "make restore FROM=" in local("backup", saved, env=env).stdout
            assert local("down", env=env).returncode == 0
            assert up.wait(120) == 0
        finally:
            up.kill()
    assert output.read_text().rstrip().endswith("Stopped.")
    eventually(lambda: processes_of(tmp_path) == [], timeout=10)
    with System(tmp_path, free_ports(), echo=lambda _: None, env=environment()) as system:
        found = fetch(f"{system.urls['enrollment']}/v1/units/EXAMPLE", headers=headers)
        assert found.json()["name"] == "Dinas Contoh"
    refused = local("restore", saved, env=env)
    assert (refused.returncode, refused.stderr.count("is not empty")) == (1, 1)
    assert local("reset", env=env).returncode == 0
    assert not (tmp_path / KEPT).exists()
    broken = local("restore", tmp_path / "nothing", env=env)
    assert broken.returncode != 0
    # Half of it would look like all of it at the next start.
    assert not (tmp_path / KEPT).exists()
    restored = local("restore", saved, env=env)
    assert (restored.returncode, "Restored." in restored.stdout) == (0, True)
    with Mongod(tmp_path / KEPT / "mongodb") as mongod, MongoClient[dict[str, Any]](mongod.address) as client:
        assert client["bina_enrollment"]["units"].find_one({"_id": "EXAMPLE"}, {"name": 1})


def test_what_needs_a_running_copy_says_so(tmp_path: Path) -> None:
    """One line and no trace."""
    for command in ("ops", "backup"):
        done = local(command, env={**environment(), "BINA_HOME": str(tmp_path)})
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"Nothing runs on {tmp_path}: start it with `make up` or `make demo`.\n"
