"""A process that gets ready, waits for the word to go, works, and tells what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from bench.stage import Stage

R = TypeVar("R")


class Failed(Exception):
    """A process ended without telling a result."""


class Lane:
    """The parent's side. In use: `lane = Lane(...); lane.ready(); lane.go(); lane.result(Type)`."""

    def __init__(self, stage: Stage, module: str, env: Mapping[str, str], *arguments: str) -> None:
        self._log = (stage.home / f"{module}.log").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **env},
            text=True,
        )
        self.pid = self._process.pid

    def ready(self) -> None:
        """Waits until it could go."""
        self._read()

    def go(self) -> None:
        """Gives the word."""
        if self._process.stdin:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def result(self, type_: type[R]) -> R:
        """Waits for the result and the end."""
        result = msgspec.json.decode(self._read(), type=type_)
        self._process.wait(timeout=30)
        self._log.close()
        return result

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _read(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise Failed(f"a process ended early; its messages are in {self._log.name}")
        return line


def together(lanes: Sequence[Lane], type_: type[R], meanwhile: Callable[[], object] = lambda: None) -> list[R]:
    """Lets several go at the same moment; their results. All are ended when one fails."""
    try:
        for lane in lanes:
            lane.ready()
        for lane in lanes:
            lane.go()
        meanwhile()
        return [lane.result(type_) for lane in lanes]
    except BaseException:
        for lane in lanes:
            lane.kill()
        raise


# --- the child's side


def tell(value: Any) -> None:
    """Tells the parent: first anything when ready, then the result."""
    print(json.dumps(msgspec.to_builtins(value)), flush=True)


def wait_for_go() -> None:
    """Returns on the parent's word; ends the process when the parent is gone."""
    if not sys.stdin.readline():
        raise SystemExit(1)


class Stint(msgspec.Struct, frozen=True):
    """So many events from one moment to another, by the clock that all processes of a machine share."""

    events: int
    began: float
    ended: float


def rate(stints: Sequence[Stint]) -> float:
    """Events a second of several processes together."""
    took = max(stint.ended for stint in stints) - min(stint.began for stint in stints)
    return sum(stint.events for stint in stints) / took
