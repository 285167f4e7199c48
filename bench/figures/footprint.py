"""Figure 7, second part: idle memory of every process, and the time from `make up` to ready.

Measured: `python -m infra.local up`, which is what `make up` runs, on an empty home, until it prints READY; then,
after ten idle seconds, the memory of each of its processes (proportional set size: what is shared is divided among
those that share it). There is no goal: these are readings.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from bench.outcome import Result
from bench.stage import Stage
from infra.local.ports import free_port
from infra.settings import PORTS

IDLE_SECONDS = 10
SERVICE = re.compile(r"services\.(\w+) (api|worker)")


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    seconds: list[float] = []
    memory: dict[str, float] = {}
    for number in range(stage.scale.repeats):
        took, memory = _once(stage.home / f"up{number}")
        seconds.append(took)
    total = round(sum(memory.values()))
    return [
        Result(
            figure="7 (start)",
            about="from `make up` on an empty home to READY; the ratio is to one second",
            unit="s",
            ours=seconds,
            floor=[1.0] * len(seconds),
            notes={f"idle memory in MB, {total} in all": memory},
        )
    ]


def _once(home: Path) -> tuple[float, dict[str, float]]:
    ports = {f"BINA_{service.upper()}_PORT": str(free_port()) for service in PORTS}
    env = {**os.environ, **ports, "BINA_HOME": str(home), "BINA_ENV": "development"}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "up"], stdout=subprocess.PIPE, env=env, text=True
    )
    try:
        for line in process.stdout or ():
            if line.startswith("READY"):
                break
        took = time.monotonic() - began
        time.sleep(IDLE_SECONDS)
        return took, _memory(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _memory(root: int) -> dict[str, float]:
    """Megabytes by the name of each program below `root`; an API's two processes are one program."""
    found: dict[str, float] = {}
    for pid in _below(root):
        name = _name(Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " "))
        found[name] = round(found.get(name, 0.0) + _megabytes(pid), 1)
    return dict(sorted(found.items()))


def _below(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _name(command: str) -> str:
    if service := SERVICE.search(command):
        return f"{service[1]} {service[2]}"
    for part, name in {
        "mongod": "mongod",
        "tansu": "broker",
        "kafka.Kafka": "broker",
        "infra.local": "up",
    }.items():
        if part in command:
            return name
    return "workers of the APIs"


def _megabytes(pid: int) -> float:
    match = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0
