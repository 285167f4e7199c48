"""The worker process of a service: its parts, each in a thread, and a small server for health and metrics."""

import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from infra.settings import Settings
from infra.web.health import serve_health

log = logging.getLogger(__name__)

STOP_SECONDS = 15.0


class Part(Protocol):
    """Something that works until it is told to stop: a relay, a consumer, a sender."""

    name: str

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set, then cleans up and returns."""


class Worker:
    """Runs the parts of one service. A part that dies takes the worker down, so that it is started afresh."""

    def __init__(self, settings: Settings, parts: Sequence[Part], ready: Mapping[str, Callable[[], None]]) -> None:
        self._settings = settings
        self._parts = parts
        self._ready = ready
        self._stop = threading.Event()
        self._died = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts all parts and returns at once."""
        for part in self._parts:
            thread = threading.Thread(target=self._run_part, args=(part,), name=part.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Tells all parts to stop and waits for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def live(self) -> bool:
        """Whether every part is at work."""
        return not self._died.is_set() and all(thread.is_alive() for thread in self._threads)

    def run(self) -> int:
        """Works until SIGTERM or SIGINT; gives the exit code, 1 when a part died."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        settings = self._settings
        close = serve_health(settings.worker_port, settings.service, self.live, self._ready, settings.host)
        self.start()
        log.info("worker started", extra={"parts": [part.name for part in self._parts]})
        try:
            self._stop.wait()
        finally:
            self.stop()
            close()
        log.info("worker stopped")
        return 1 if self._died.is_set() else 0

    def _run_part(self, part: Part) -> None:
        try:
            part.run(self._stop)
        except BaseException:
            log.exception("part died", extra={"part": part.name})
        finally:
            if not self._stop.is_set():
                self._died.set()
                self._stop.set()
