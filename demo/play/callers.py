"""Who calls: a connection to each service and tokens, one role at a time."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
R = TypeVar("R")

HANDS = 6
"""How many requests the city has under way at once."""

_BUSY = (429, 503)
_PATIENCE_SECONDS = 180.0


class PlayError(Exception):
    """A service answered otherwise than its contract says; the message tells which request and what came back."""


IssueToken = Callable[[str, Iterable[str], str | None], str]
"""Makes a token of subject, roles and unit that the services accept."""


@dataclass(frozen=True)
class Answer:
    """What came back: body is the decoded JSON, `{}` when there was none."""

    status: int
    body: Any

    @property
    def rule(self) -> str:
        """The refusing rule of a problem, or the bare status."""
        return str(self.body.get("rule") or self.status)


class Services:
    """Open connections to the four services, shared by all callers."""

    def __init__(self, urls: Mapping[str, str], issue_token: IssueToken) -> None:
        self.urls = dict(urls)
        limits = httpx.Limits(max_connections=HANDS, max_keepalive_connections=HANDS)
        self._clients = {
            name: httpx.Client(base_url=f"{url}/v1", timeout=60, limits=limits) for name, url in self.urls.items()
        }
        self._issue = issue_token
        self._callers: dict[tuple[str, tuple[str, ...], str | None], Caller] = {}

    def caller(self, sub: str, *roles: str, unit: str | None = None) -> "Caller":
        """Somebody with a token of exactly these roles."""
        key = (sub, roles, unit)
        if key not in self._callers:
            self._callers[key] = Caller(self, self._issue(sub, roles, unit))
        return self._callers[key]

    def send(self, service: str, method: str, path: str, **request: Any) -> httpx.Response:
        """One request; waits and sends again while the service is busy or the connection breaks."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response = self._clients[service].request(method, path, **request)
            except httpx.TransportError as error:
                if time.monotonic() > give_up:
                    raise PlayError(f"{service} can't be reached: {error}") from error
                time.sleep(0.2)
                continue
            if response.status_code not in _BUSY or time.monotonic() > give_up:
                return response
            time.sleep(min(5.0, float(response.headers.get("Retry-After", 1))))

    def close(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            client.close()


class Caller:
    """One caller with one token."""

    def __init__(self, services: Services, token: str) -> None:
        self._services = services
        self.token = token

    def ask(self, service: str, method: str, path: str, *, version: int | None = None, **request: Any) -> Answer:
        """Sends and returns whatever comes back, refusals included. version: goes into If-Match."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        response = self._services.send(service, method, path, headers=headers, **request)
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status_code, response.json() if is_json else {})

    def get(self, service: str, path: str, **params: str | int) -> Any:
        """The resource at that path. Raises PlayError unless it is there."""
        return self._expect(service, "GET", path, (200,), params=params)

    def put(self, service: str, path: str, body: object) -> Any:
        """Creates or repeats. Raises PlayError unless it was taken."""
        return self._expect(service, "PUT", path, (200, 201), json=body)

    def post(self, service: str, path: str, body: object) -> Any:
        """Creates, or moves something on. Raises PlayError unless it was taken."""
        return self._expect(service, "POST", path, (200, 201), json=body)

    def upload(self, service: str, path: str, name: str, content: str, **params: str) -> Any:
        """Sends a file. Raises PlayError unless it was accepted for work."""
        files = {"file": (name, content.encode("utf-8-sig"), "text/csv")}
        return self._expect(service, "POST", path, (202,), files=files, params=params)

    def pages(self, service: str, path: str, **params: str | int) -> Iterator[Any]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            extra = {"cursor": cursor} if cursor else {}
            page = self.get(service, path, limit=200, **params, **extra)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _expect(self, service: str, method: str, path: str, statuses: Sequence[int], **request: Any) -> Any:
        answer = self.ask(service, method, path, **request)
        if answer.status not in statuses:
            raise PlayError(f"{method} {service} {path}: {answer.status} {answer.body}")
        return answer.body


def spread(work: Callable[[T], R], items: Iterable[T], done: Callable[[], object]) -> list[R]:
    """Does the work on all items, several at once; results in the order of the items. done: after each one."""

    def one(item: T) -> R:
        result = work(item)
        done()
        return result

    with ThreadPoolExecutor(HANDS) as pool:
        try:
            return list(pool.map(one, items))
        except BaseException:
            # Ctrl-C and the first failure must not wait for all that is still queued.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def wait_for(what: str, check: Callable[[], T | None], seconds: float = 300) -> T:
    """Asks again until the answer is something: what one service tells another arrives a little later.

    Raises PlayError naming `what` when it takes longer than `seconds`.
    """
    give_up = time.monotonic() + seconds
    while True:
        found = check()
        if found is not None:
            return found
        if time.monotonic() > give_up:
            raise PlayError(f"{what} did not happen within {seconds:.0f} seconds")
        time.sleep(0.25)
