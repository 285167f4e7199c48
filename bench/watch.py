"""Where the time goes: the share of a core that each process uses, and what a profiler sees in one of them."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from infra.local.process import Process

T = TypeVar("T")

_TICKS = os.sysconf("SC_CLK_TCK")
_RATE = 200
_SHOWN = 14
PACKAGES = {
    "services/": "our service",
    "infra/web/": "our web layer",
    "infra/storage/": "our storage layer",
    "infra/messaging/": "our messaging",
    "infra/": "our other infrastructure",
    "bench/": "the floor or the bench",
}


def cores(processes: Mapping[str, Process], work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Does the work; gives its result and how many cores each process, with its children, used meanwhile."""
    before, started = {name: _seconds(process.pid) for name, process in processes.items()}, time.monotonic()
    result = work()
    took = time.monotonic() - started
    used = {name: (_seconds(process.pid) - before[name]) / took for name, process in processes.items()}
    return result, {name: round(share, 2) for name, share in used.items() if share >= 0.01}


def members(group: int | None) -> list[int]:
    """The processes of a process group: a program and its children."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return sorted(pid for pid in pids if _stat(pid, 2) == group)


def _seconds(group: int | None) -> float:
    return sum(_stat(pid, 11) + _stat(pid, 12) for pid in members(group)) / _TICKS


def _stat(pid: int, place: int) -> int:
    """A number of /proc/<pid>/stat, counted from the state; 0 when the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[place])
    except (OSError, ValueError):
        return 0


def profiled(process: Process, work: Callable[[], object], *, idle: bool = False) -> dict[str, float]:
    """What the busiest Python process of a group does during the work: shares of the samples, by library.

    Samples are taken of the thread that holds the interpreter's lock; with `idle`, of waiting threads too.
    """
    watched = max(members(process.pid), key=lambda pid: _stat(pid, 11) + _stat(pid, 12))
    return profiled_pid(watched, work, idle=idle)


def profiled_pid(pid: int, work: Callable[[], object], *, idle: bool = False) -> dict[str, float]:
    """The same for one process."""
    output = Path(tempfile.mkstemp(prefix="bina-profile-")[1])
    program = Path(sys.executable).with_name("py-spy")
    command = [str(program), "record", "--pid", str(pid), "--rate", str(_RATE), "--format", "raw"]
    command += ["--duration", "unlimited", "--output", str(output), "--nonblocking"]
    command += ["--idle"] if idle else ["--gil"]
    spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        work()
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait(timeout=60)
    shares = _shares(output.read_text())
    output.unlink()
    return shares


def while_going(
    work: Callable[[Callable[[int], object]], object],
    look: Callable[[int, Callable[[], object]], dict[str, float]],
) -> dict[str, float]:
    """Looks at a process for as long as the work lasts that starts it and gives its id to what it is handed."""
    found: dict[str, float] = {}
    done = threading.Event()
    looking: list[threading.Thread] = []

    def watch(pid: int) -> None:
        looking.append(threading.Thread(target=lambda: found.update(look(pid, done.wait))))
        looking[-1].start()

    try:
        work(watch)
    finally:
        done.set()
        for thread in looking:
            thread.join()
    return found


def _shares(raw: str) -> dict[str, float]:
    """Shares of the samples by the library that the innermost frame belongs to."""
    counts: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, number = line.rpartition(" ")
        if stack and number.isdecimal():
            counts[_library(stack.split(";")[-1])] += int(number)
    total = sum(counts.values()) or 1
    return {name: round(count / total, 3) for name, count in counts.most_common(_SHOWN)}


def _library(frame: str) -> str:
    """`load (marshmallow/schema.py:700)` belongs to marshmallow."""
    place = frame.rpartition("(")[2].rstrip(")").rpartition(":")[0]
    if "site-packages/" in place:
        place = place.partition("site-packages/")[2]
    for beginning, name in PACKAGES.items():
        if place.startswith(beginning) or f"/{beginning}" in place:
            return name
    first = place.lstrip("/").split("/")
    return first[0].removesuffix(".py") if len(first) > 1 else "Python's own library"
