"""What is counted of every request, and what `/metrics` shows of one process or of several that serve together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# Where each process leaves its numbers for the others. prometheus_client looks at it when it is first imported.
_SHARED = "PROMETHEUS_MULTIPROC_DIR"

_REQUESTS = Histogram(
    "bina_http_request_seconds",
    "How long requests took, by route and status.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Anything may be sent as a method, and each new one would be kept for ever.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """One answered request."""
    _series(method if method in _METHODS else "(other)", route, status).observe(seconds)


@cache
def _series(method: str, route: str, status: int) -> Histogram:
    return _REQUESTS.labels(method, route, str(status))


def exposition() -> bytes:
    """The text of `/metrics`: the numbers of all processes that serve together, whichever of them is asked."""
    if _SHARED not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@contextmanager
def counted_together() -> Iterator[None]:
    """Processes that are started in this block, as new interpreters, count together."""
    with TemporaryDirectory(prefix="bina-metrics-") as directory:
        os.environ[_SHARED] = directory
        try:
            yield
        finally:
            del os.environ[_SHARED]
