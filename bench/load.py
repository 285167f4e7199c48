"""Loads a server from a process of its own, and sees to it that every answer was the expected one."""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.client import Plan, Report


class Unexpected(Exception):
    """A server answered something else than what is measured."""


def load(plan: Plan, *expected: int) -> Report:
    """Runs the plan. Raises Unexpected for any other status than the expected ones."""
    with tempfile.NamedTemporaryFile(prefix="bina-load-") as file:
        file.write(msgspec.msgpack.encode(plan))
        file.flush()
        report = _finish(start(file.name))
    return checked(report, *expected)


class Background:
    """A load that goes on while something else is measured."""

    def __init__(self, plan: Plan) -> None:
        self._file = Path(tempfile.mkstemp(prefix="bina-load-")[1])
        self._file.write_bytes(msgspec.msgpack.encode(plan))
        self._process = start(str(self._file))

    def stop(self) -> None:
        """Ends it before its time. Raises Unexpected when it has ended by itself."""
        ended = self._process.poll() is not None
        self._process.kill()
        self._process.wait()
        self._file.unlink()
        if ended:
            raise Unexpected("the load had ended before what was measured under it")


def start(file: str) -> "subprocess.Popen[bytes]":
    """Starts the load generator on a plan."""
    command = [sys.executable, "-m", "bench.client", file]
    return subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603


def _finish(process: "subprocess.Popen[bytes]") -> Report:
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        raise Unexpected("the load generator failed")
    return msgspec.json.decode(output, type=Report)


def checked(report: Report, *expected: int) -> Report:
    """The report, if it has only expected statuses."""
    others = {status: count for status, count in report.statuses.items() if int(status) not in expected}
    if others or not report.done:
        raise Unexpected(f"answers {report.statuses}, expected only {expected}; one of them: {report.sample}")
    return report
