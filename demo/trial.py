"""Tries the three commands of the handout in a shell, as a visitor would paste them."""

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from demo.play.callers import PlayError
from demo.show.handout import Handout

_ARRIVAL_SECONDS = 120.0


def try_out(handout: Handout) -> str:
    """Runs them; returns what moved. Raises PlayError unless the figure moved and the record is behind it."""
    post, confirm, show = (command.line for command in handout.commands)
    before, _ = _look(show)
    posted, confirmed = _run(post)[0], _run(confirm)[0]
    if posted.get("status") != "held" or confirmed.get("status") != "confirmed":
        raise PlayError(f"the commands to paste don't work: {posted} {confirmed}")
    started = time.monotonic()
    while _look(show) != (before + 1, [handout.session]):
        if time.monotonic() > started + _ARRIVAL_SECONDS:
            raise PlayError(f"session {handout.session} was confirmed, but shown is {_look(show)}")
        time.sleep(0.2)
    moved = time.monotonic() - started
    return f"sessions of {handout.unit} went from {before} to {before + 1} within {moved:.1f} s"


def _look(show: str) -> tuple[int, list[str]]:
    """The figure, and the ids of the records that are shown behind it."""
    figure, *records = _run(show)
    return int(figure["value"]), [record["id"] for record in records]


def _run(line: str) -> list[Any]:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603, S607
    if done.returncode:
        raise PlayError(f"a command to paste failed: {done.stderr.strip()}")
    return list(_documents(done.stdout))


def _documents(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
