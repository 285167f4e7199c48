"""What is counted of every request."""

from functools import cache

from prometheus_client import Histogram

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
