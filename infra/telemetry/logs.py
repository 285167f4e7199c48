"""JSON logs on stderr: one line an entry, without personal data.

An exception is told by its class and the places it passed, never by its message: messages quote values.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson

from infra.settings import Settings

LONGEST_CHAIN = 5
DEEPEST_TRACE = 12
NOISY = ("kafka", "pymongo", "werkzeug")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))


def configure(settings: Settings) -> None:
    """Sends all logging of this process to stderr as JSON."""
    # What no entry shows is not asked for: a quarter of what an entry costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(settings.service))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def bind(**values: str) -> None:
    """Puts these members (`request_id`, `event_id`...) into every later entry of this thread."""
    _bound.set(values)


class JsonFormatter(logging.Formatter):
    """`time, level, service, logger, message`, what was bound, then whatever was given as `extra`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One JSON line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_bound.get(),
        }
        entry.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        if record.exc_info and record.exc_info[1]:
            entry["error"] = told(record.exc_info[1])
        return orjson.dumps(entry, default=str).decode()


def told(error: BaseException) -> list[dict[str, Any]]:
    """The exception and its causes, innermost last: class and places only."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < LONGEST_CHAIN:
        frames = traceback.extract_tb(current.__traceback__)[-DEEPEST_TRACE:]
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        chain.append({"type": f"{type(current).__module__}.{type(current).__name__}", "at": places})
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain
