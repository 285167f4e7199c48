"""The app behind the real server: limits, headers, and a stop that finishes what is under way."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.ports import free_port
from tests.support import eventually, fetch
from tests.unit.infra_web.conftest import Issuer
from tests.unit.infra_web.sample import ID

PROGRAM = """
import time
from pathlib import Path
from infra.problems import Text
from infra.settings import Settings, SettingsError
from infra.web.app import build_app
from infra.web.blueprint import Blueprint
from infra.web.server import serve
from tests.unit.infra_web.sample import things

def make():
    slow = Blueprint("slow", __name__, url_prefix="/slow", description="Slow.")

    @slow.route("")
    def wait():
        "Wait."
        Path("waiting").touch()
        time.sleep(1)
        return {"done": True}

    return build_app(Settings.from_env("sessions"), Text("a", "b"), [things(), slow])

if __name__ == "__main__":
    serve("served:make", Settings.from_env("sessions"))
"""


@pytest.fixture(params=[1])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, environment: dict[str, str]
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Its address and its process. The parameter is how many processes serve."""
    (tmp_path / "served.py").write_text(PROGRAM)
    port = free_port()
    env = {
        **os.environ,
        **environment,
        "BINA_SESSIONS_PORT": str(port),
        "BINA_SESSIONS_PROCESSES": str(request.param),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(Path.cwd()))),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "served"], env=env, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        eventually(lambda: _answers(f"http://127.0.0.1:{port}/livez"), timeout=90)
        yield f"http://127.0.0.1:{port}", process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


def test_behind_the_real_server(
    server: tuple[str, Any], issuer: Issuer, bearer: dict[str, str], thing: dict[str, Any], tmp_path: Path
) -> None:
    """One header names the server, bodies of unknown length are read whole, and SIGTERM loses no request."""
    at, process = server
    answer = fetch(f"{at}/v1/things/{ID}", "PUT", json=thing, headers=bearer)
    assert answer.status_code == 200
    assert answer.headers.get_list("server") == ["bina"]

    def chunks(size: int) -> Iterator[bytes]:
        for _ in range(size // 1024):
            yield b" " * 1024

    large = fetch(
        f"{at}/v1/things/{ID}",
        "PUT",
        content=chunks(1_200_000),
        headers=bearer | {"Content-Type": "application/json"},
    )
    assert large.json()["rule"] == "too-large"

    slow: list[int] = []
    call = threading.Thread(target=lambda: slow.append(fetch(f"{at}/v1/slow", headers=bearer).status_code))
    call.start()
    eventually((tmp_path / "waiting").exists)
    assert 'route="/v1/things' in fetch(f"{at}/metrics").text
    process.send_signal(signal.SIGTERM)
    call.join()
    assert slow == [200]
    assert process.wait(60) == 0


@pytest.mark.parametrize("server", [1, 2], indirect=True)
def test_nobody_serves_on_when_the_parent_is_killed(
    server: tuple[str, "subprocess.Popen[bytes]"], bearer: dict[str, str], tmp_path: Path
) -> None:
    """What was asked before is answered; then the port is free, and the next start answers alone."""
    at, process = server
    slow: list[int] = []
    call = threading.Thread(target=lambda: slow.append(fetch(f"{at}/v1/slow", headers=bearer).status_code))
    call.start()
    eventually((tmp_path / "waiting").exists)
    process.kill()
    call.join()
    assert slow == [200]
    eventually(lambda: not _answers(f"{at}/livez"))


@pytest.mark.parametrize("server", [2], indirect=True)
def test_metrics_are_those_of_all_processes(
    server: tuple[str, "subprocess.Popen[bytes]"], bearer: dict[str, str], tmp_path: Path
) -> None:
    """Whichever process is asked, it counts what the others have answered, too; and nothing is left behind."""
    at, process = server
    asked = 0

    def both_have_answered() -> bool:
        nonlocal asked
        assert fetch(f"{at}/v1/things/{ID}", headers=bearer).status_code == 200
        asked += 1
        return len(list(tmp_path.glob("bina-metrics-*/histogram_*.db"))) == 2

    def counted() -> set[str]:
        lines = [line for _ in range(10) for line in fetch(f"{at}/metrics").text.splitlines()]
        return {line.rpartition(" ")[2] for line in lines if "_count{" in line and 'route="/v1/things' in line}

    eventually(both_have_answered)
    eventually(lambda: counted() == {f"{asked}.0"})
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not list(tmp_path.glob("bina-metrics-*"))
