"""granian in front of the app."""

import multiprocessing
import os
import pkgutil
import signal
import threading
import time
from contextlib import nullcontext

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from infra.settings import Settings
from infra.telemetry.metrics import counted_together
from infra.web.keys import refuse_development_keys

HEADERS_TIMEOUT_MS = 10_000
STOP_SECONDS = 10
WAITING_PER_THREAD = 8
# granian's own log goes the way of all our logs, and has no access log: its lines would hold queries.
LOGGING = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}


def serve(target: str, settings: Settings) -> None:
    """Serves what the factory `target` (`module:function`) makes, until SIGTERM; requests under way are finished.

    The app is built in the process that serves it, since neither Kafka's nor MongoDB's clients may be forked.
    Raises SettingsError when the keys hold one that is not allowed here.
    """
    refuse_development_keys(settings)
    # A fork would go on with what this process has imported, and count for itself.
    multiprocessing.set_start_method("spawn" if settings.processes > 1 else None, force=True)
    with counted_together() if settings.processes > 1 else nullcontext():
        _run(target, settings)


def _run(target: str, settings: Settings) -> None:
    Granian(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_TIMEOUT_MS),
        workers=settings.processes,
        blocking_threads=settings.threads,
        backpressure=settings.threads * WAITING_PER_THREAD,
        factory=True,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
    ).serve(target_loader=_load)


def _load(target: str) -> Flask:
    """The app, in the process that serves it."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    app: Flask = pkgutil.resolve_name(target)()
    return app


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, which had no time to do so if it was killed.

    It would serve on, unnoticed beside what is started next: the port may be listened to by both.
    """
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # That may come too early to be heeded, and a request may hang.
        time.sleep(STOP_SECONDS)
        os._exit(1)
