"""Child processes end when asked, when they must, and when their supervisor wants them anew."""

import sys
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from infra.clock import trim
from infra.local.errors import CannotStart
from infra.local.ports import free_port
from infra.local.process import Process
from infra.local.supervisor import Child, Supervisor
from tests.support import eventually

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
HEALTHY = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from {__name__} import serve
serve(int(sys.argv[1]))
"""


def serve(port: int) -> None:
    """A child that is ready at once."""

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.end_headers()

    HTTPServer(("127.0.0.1", port), Ready).serve_forever()


def python(code: str, *arguments: str, log: Path | None = None) -> Process:
    return Process("the child", [sys.executable, "-c", code, *arguments], log=log)


def test_a_process_ends_when_asked() -> None:
    process = python("import time; time.sleep(60)")
    process.start()
    assert process.running
    assert process.stop(seconds=10)
    assert not process.running


def test_a_process_that_does_not_end_is_killed(tmp_path: Path) -> None:
    process = python(STUBBORN, log=tmp_path / "log")
    process.start()
    eventually(lambda: process.tail() == "up")
    assert not process.stop(seconds=0.1)
    assert not process.running


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotStart, match="The tool can't be started"):
        Process("The tool", ["/nowhere/tool"]).start()


def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    port, said = free_port(), list[str]()
    process = python(HEALTHY, str(port), log=tmp_path / "log")
    supervisor = Supervisor([Child(process, f"http://127.0.0.1:{port}/readyz")], said.append)
    supervisor.start()
    try:
        supervisor.wait_ready(60)
        before = process.pid
        process.kill()
        eventually(lambda: process.running and process.pid != before)
        supervisor.wait_ready(60)
        assert "the child ended" in said[0]
        assert "starts again" in said[0]
        supervisor.restart("the child")
    finally:
        supervisor.stop()
    assert not process.running


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    process = python("raise SystemExit('no address')", log=tmp_path / "log")
    supervisor = Supervisor([Child(process, "http://127.0.0.1:1/readyz")], lambda _: None)
    supervisor.start()
    try:
        with pytest.raises(CannotStart, match="no address"):
            supervisor.wait_ready(60)
    finally:
        supervisor.stop()


def test_what_cannot_be_started_now_is_tried_again(tmp_path: Path) -> None:
    """The machine had no memory, say: all others run on, also when nobody can be told of it."""
    tool, said = tmp_path / "tool", list[str]()

    def say(line: str) -> None:
        said.append(line)
        raise BrokenPipeError

    well, late = python("import time; time.sleep(60)"), Process("the tool", [str(tool)])
    supervisor = Supervisor([Child(late, "http://127.0.0.1:1/"), Child(well, "http://127.0.0.1:1/")], say)
    supervisor.start()
    try:
        eventually(lambda: said and well.running)
        assert "the tool can't be started" in said[0]
        tool.write_text("#!/bin/sh\nexec sleep 60\n")
        tool.chmod(0o700)
        eventually(lambda: late.running)
        assert well.running
    finally:
        supervisor.stop()


def test_who_dies_all_day_is_started_again_all_day() -> None:
    said = list[str]()
    supervisor = Supervisor([Child(python(""), "http://127.0.0.1:1/", deaths=10_000)], said.append)
    supervisor.start()
    try:
        eventually(lambda: said)
        assert "starts again in 10 s" in said[0]
    finally:
        supervisor.stop()


def test_each_process_may_have_a_wrong_clock_of_its_own(tmp_path: Path) -> None:
    """In a rehearsal of faults two machines need not agree on the time."""
    code = "from infra.clock import system_clock; print(system_clock().isoformat())"
    env = {"BINA_ENV": "development", "BINA_CLOCK_OFFSETS": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    for name, offset in (("one", "3600"), ("two", "0"), ("three", "")):
        if offset:
            (tmp_path / name).write_text(offset)
        process = Process(name, [sys.executable, "-c", code], log=tmp_path / f"{name}.log", env=env)
        wrong = timedelta(seconds=float(offset or 0))
        before = trim(datetime.now(UTC))
        process.start()
        assert process.wait(60)
        assert before + wrong <= datetime.fromisoformat(process.tail()) <= datetime.now(UTC) + wrong
