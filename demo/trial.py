"""Tries the three commands of the handout in a shell, as a visitor would paste them."""

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from demo.play.callers import PlayError
from demo.show.handout import Handout

_ARRIVAL_SECONDS = 20.0


def try_out(handout: Handout) -> str:
    """Runs them; returns what moved. Raises PlayError unless the figure moved and the record is behind it."""
    post, confirm, show = (command.line for command in handout.commands)
    before = _sessions(_run(show))
    posted, confirmed = _run(post)[0], _run(confirm)[0]
    if posted.get("status") != "held" or confirmed.get("status") != "confirmed":
        raise PlayError(f"the commands to paste don't work: {posted} {confirmed}")
    give_up = time.monotonic() + _ARRIVAL_SECONDS
    started = time.monotonic()
    while True:
        figures, evidence = _run(show)
        records = [record["id"] for record in evidence["items"]]
        if _sessions([figures]) == before + 1 and handout.session in records:
            moved = time.monotonic() - started
            return f"sessions of {handout.unit} went from {before} to {before + 1} within {moved:.1f} s"
        if time.monotonic() > give_up:
            raise PlayError(f"the session {handout.session} was confirmed, but the figure did not move")
        time.sleep(0.2)


def _sessions(answers: list[Any]) -> int:
    rows = answers[0]["items"]
    return int(next(row["value"] for row in rows if row["id"] == "sessions" and not row.get("part")))


def _run(line: str) -> list[Any]:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603, S607
    if done.returncode:
        raise PlayError(f"a command to paste failed: {done.stderr.strip()}")
    return list(_documents(done.stdout))


def _documents(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
