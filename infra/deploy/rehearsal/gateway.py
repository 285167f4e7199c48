"""What the gateway does with those who ask too much, too slowly, or for what is not there."""

import csv
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from infra.deploy.rehearsal import NotSo

PEOPLE = Path("demo/data/employees.csv")
TOO_LARGE = 2 * 1024 * 1024
HEADER_SECONDS = 10.0
MARGIN_SECONDS = 20.0
DRIP_SECONDS = 0.5


def too_large(gateway: str) -> str:
    """A body of 2 MB is a problem 413, whoever sends it."""
    answer = httpx.post(f"{gateway}/enrollment/v1/batches", content=bytes(TOO_LARGE), timeout=30)
    _is_problem(answer, 413, "too-large")
    return "Gateway: a body of 2 MB is a problem 413"


def unknown(gateway: str) -> str:
    """What is no service's is a problem 404, also when it only becomes one's after tidying.

    One path holds somebody's NIP: the search of the logs must not find it there.
    """
    with PEOPLE.open(encoding="utf-8-sig", newline="") as file:
        nip = next(csv.DictReader(file, delimiter=";"))["NIP"]
    for path in ("/nobody/v1/units", "/", "//sessions/v1/sessions", f"/enrollment/v1/employees/{nip}/x"):
        _is_problem(httpx.get(gateway + path, timeout=30), 404, "unknown")
    return "Gateway: an unknown prefix is a problem 404"


def dripped(gateway: str, seconds: float = HEADER_SECONDS, margin: float = MARGIN_SECONDS) -> str:
    """Who sends a header byte by byte is cut off in time. Raises NotSo when the connection lives on."""
    where = urlsplit(gateway)
    began = time.monotonic()
    with socket.create_connection((where.hostname, where.port or 80), timeout=DRIP_SECONDS) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: gateway\r\nX-Slow: ")
        while (taken := time.monotonic() - began) < seconds + margin:
            if _is_cut(connection):
                return f"Gateway: a header that dripped was cut off after {taken:.0f} s"
    raise NotSo(f"a header could drip for {taken:.0f} s, and {seconds:.0f} were promised")


def believes_nobody(gateway: str) -> str:
    """Without a balancer that is named, no caller can say that it came by TLS or from elsewhere."""
    if "strict-transport-security" in _asked(gateway, "/livez", "10.9.9.9").headers:
        raise NotSo("anybody is believed who says to have come by TLS")
    _is_problem(_asked(gateway, "/sessions/metrics", "10.9.9.9"), 404, "unknown")
    return "Gateway: nobody is believed who says to have come by TLS, or from a private network"


def believes_the_balancer(gateway: str) -> str:
    """The caller is who the named balancer says: figures of the machinery are for private networks alone."""
    if "strict-transport-security" not in _asked(gateway, "/livez", "203.0.113.7").headers:
        raise NotSo("the balancer that is named is not believed")
    if (status := _asked(gateway, "/sessions/metrics", "10.9.9.9").status_code) != 200:
        raise NotSo(f"/metrics is {status} for a private network behind the balancer")
    _is_problem(_asked(gateway, "/sessions/metrics", "203.0.113.7"), 404, "unknown")
    return "Gateway: the balancer that is named is believed, and /metrics stays with private networks"


def _asked(gateway: str, path: str, caller: str) -> httpx.Response:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": caller}
    return httpx.get(gateway + path, headers=said, timeout=30)


def _is_cut(connection: socket.socket) -> bool:
    """Sends one byte more, and waits as long as the socket does for an answer or the end."""
    try:
        connection.sendall(b"x")
        connection.recv(1024)
    except TimeoutError:
        return False
    except OSError:
        return True
    # An answer to what is no whole request can only be a refusal.
    return True


def _is_problem(answer: httpx.Response, status: int, rule: str) -> None:
    kind = answer.headers.get("content-type", "")
    if answer.status_code != status or kind != "application/problem+json" or answer.json().get("rule") != rule:
        raise NotSo(
            f"{answer.request.url.path} was answered {answer.status_code} {kind} instead of a problem {rule}"
        )
    if answer.headers.get("x-content-type-options") != "nosniff":
        raise NotSo(f"the gateway's own {status} has not the headers that services send")
