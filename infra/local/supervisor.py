"""Keeps child processes alive: one that dies is started again, later each time it dies soon."""

import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.local.errors import CannotStart
from infra.local.process import Process

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 10.0
# Who ran this long (seconds) was well: its next start comes at once again.
_WELL = 30.0
_EARLY_DEATHS = 4
_STOP_SECONDS = 20.0


@dataclass
class Child:
    """One process to keep alive. health: address that answers 200 when it is ready. asked: told to start anew."""

    process: Process
    health: str
    asked: bool = False
    deaths: int = 0
    started: float = 0
    due: float | None = None

    @property
    def name(self) -> str:
        """As people know it: "sessions worker"."""
        return self.process.name

    def start(self) -> None:
        """Start it now."""
        self.started, self.due, self.asked = time.monotonic(), None, False
        self.process.start()

    def ready(self) -> bool:
        """Whether it runs and says that it can work."""
        if not self.process.running:
            return False
        try:
            with urllib.request.urlopen(self.health, timeout=2) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except OSError:
            return False


class Server(Protocol):
    """MongoDB, or a broker."""

    process: Process

    def start(self) -> None:
        """Start it (anew), at the address that it had. Raises CannotStart."""


class Backing(Child):
    """What the children need: it runs before they start, and whoever started it ends it after them.

    Started anew it ends with the supervisor at the latest, which ends after the children, too.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server.process, health="")
        self._server = server

    def start(self) -> None:
        """Start it anew: those who need it wait until it answers."""
        self.started, self.due = time.monotonic(), None
        self._server.start()
        self.process = self._server.process


class Supervisor:
    """One thread starts, watches and ends the children: the kernel ends them when their starter is gone.

    backing: watched, too, and started again.
    """

    def __init__(
        self, children: Sequence[Child], echo: Callable[[str], None], backing: Sequence[Backing] = ()
    ) -> None:
        self._children = {child.name: child for child in children}
        self._watched = [*backing, *children]
        self._echo = echo
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def process(self, name: str) -> Process:
        """The process of one child. KeyError: no such child."""
        return self._children[name].process

    def start(self) -> None:
        """Start all children; returns at once."""
        self._thread.start()

    def wait_ready(self, seconds: float) -> None:
        """Return when every child is ready.

        Raises CannotStart with the last words of one that isn't, or of one that keeps dying.
        """
        deadline = time.monotonic() + seconds
        waiting = dict(self._children)
        while waiting:
            for child in self._watched:
                if child.deaths >= _EARLY_DEATHS:
                    raise CannotStart(_last_words(child))
            for child in list(waiting.values()):
                if child.ready():
                    del waiting[child.name]
                elif time.monotonic() > deadline:
                    raise CannotStart(_last_words(child))
            time.sleep(0.05)

    def restart(self, name: str, seconds: float = 120) -> None:
        """End one child and return when it is ready again. Raises CannotStart; KeyError: no such child."""
        child = self._children[name]
        before, child.asked = child.started, True
        child.process.stop(_STOP_SECONDS)
        deadline = time.monotonic() + seconds
        while child.started == before or not child.ready():
            if time.monotonic() > deadline:
                raise CannotStart(_last_words(child))
            time.sleep(0.05)

    def stop(self) -> None:
        """End all children, kindly first; returns when they are gone."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            for child in self._children.values():
                self._start(child)
            while not self._stopping.wait(0.1):
                for child in self._watched:
                    self._look_after(child)
        finally:
            self._end_all()

    def _look_after(self, child: Child) -> None:
        if child.process.running:
            return
        if child.asked or (child.due is not None and time.monotonic() >= child.due):
            self._start(child)
        elif child.due is None:
            self._start_later(child, f"{child.name} ended (exit code {child.process.exit_code})")

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except Exception as error:  # noqa: BLE001 - no memory, no process ids: whatever it is, the others stay
            why = str(error) if isinstance(error, CannotStart) else f"{child.name} can't be started ({error!r})"
            self._start_later(child, why)

    def _start_later(self, child: Child, why: str) -> None:
        now = time.monotonic()
        child.deaths = 1 if now - child.started > _WELL else child.deaths + 1
        # Doubled no more often than it takes to the longest: a day of deaths is too large a power.
        delay = min(_FIRST_DELAY * 2 ** min(child.deaths - 1, 10), _LONGEST_DELAY)
        child.due = now + delay
        self._say(f"{why} and starts again in {delay:g} s; see {child.process.log}")

    def _say(self, line: str) -> None:
        # A closed terminal or a full disk ends nobody.
        with contextlib.suppress(OSError):
            self._echo(line)

    def _end_all(self) -> None:
        children = self._children.values()
        for child in children:
            child.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in children:
            if not child.process.wait(max(0.1, deadline - time.monotonic())):
                self._say(f"{child.name} did not end when asked and was killed")
                child.process.kill()


def _last_words(child: Child) -> str:
    return f"{child.name} did not get ready. The end of {child.process.log}:\n{child.process.tail()}"
