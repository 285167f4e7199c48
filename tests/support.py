"""What tests share: waiting for effects, a client with a token, workers that run during a block."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
from flask import Flask
from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from infra.problems import Refused

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long to wait for what takes a moment: a machine may be slow, busy, or stand still for some seconds."""

PASSING = (AssertionError, KafkaError, PyMongoError, Refused, httpx.TransportError)
"""What a check raises when it is not so yet, or who was asked is slow, starting, or about to change."""


def eventually(check: Callable[[], T], timeout: float = PATIENCE_SECONDS, interval: float = 0.02) -> T:
    """Poll `check` until it returns something true, and return that.

    timeout, interval: seconds. What it raises of PASSING is waited through; when the time is over, the last of it
    is raised, or an AssertionError with the last value.
    """
    deadline = time.monotonic() + timeout
    while True:
        failure: Exception | None = None
        value: T | None = None
        try:
            value = check()
        except PASSING as error:
            failure = error
        if value:
            return value
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {timeout} s; last value: {value!r}")
        time.sleep(interval)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. body: decoded JSON, or the text when it is none; None when empty."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def version(self) -> int | None:
        """The version in its ETag."""
        tag = self.headers.get("ETag")
        return int(tag.removeprefix("W/").strip('"')) if tag else None

    def expect(self, *statuses: int) -> "Answer":
        """Itself, when its status is one of these; else an AssertionError that shows the body."""
        assert self.status in statuses, f"{self.status} instead of {statuses}: {self.body}"
        return self


class Client:
    """Calls an API in this process (a Flask app) or at an address, as the bearer of one token."""

    def __init__(self, target: Flask | str, token: str | None = None) -> None:
        self._target = target
        self._token = token

    def bearing(self, token: str | None) -> "Client":
        """The same API, called by someone else (None: by nobody)."""
        return Client(self._target, token)

    def get(self, path: str, **options: Any) -> Answer:
        """GET; options as in `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """POST `body` as JSON; options as in `request`."""
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        """PUT `body` as JSON; options as in `request`."""
        return self.request("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE; options as in `request`."""
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        key: str | None = None,
        language: str | None = None,
        raw: bytes | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One request. version: for If-Match. key: Idempotency-Key. raw: sent as it is, instead of `body`."""
        sent = {
            "Authorization": f"Bearer {self._token}" if self._token else None,
            "If-Match": f'"{version}"' if version is not None else None,
            "Idempotency-Key": key,
            "Accept-Language": language,
            "Content-Type": content_type or ("application/json" if body is not None else None),
            **(headers or {}),
        }
        content = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        return self._send(method, path, content, {k: v for k, v in sent.items() if v is not None}, params)

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        params: Mapping[str, Any] | None,
    ) -> Answer:
        if isinstance(self._target, str):
            far = httpx.request(
                method,
                self._target + path,
                content=content,
                headers=headers,
                params=params,
                timeout=PATIENCE_SECONDS,
            )
            return _answer(far.status_code, far.content, far.headers)
        with self._target.test_client() as client:
            near = client.open(path, method=method, data=content, headers=dict(headers), query_string=params)
            return _answer(near.status_code, near.get_data(), httpx.Headers(list(near.headers)))


def patiently(call: Callable[[], Answer]) -> Answer:
    """On a machine whose cores are all in use many who want one guard may wait for longer than a call may take."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := call()).status == 503 and time.monotonic() < deadline:
        pass
    return answer


def _answer(status: int, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Decode what came back by its content type."""
    kind = headers.get("Content-Type", "")
    body: Any = content.decode("utf-8", "replace") if content else None
    if content and "json" in kind:
        body = json.loads(content)
    return Answer(status, body, headers)


def fetch(address: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Whatever is answered there, however long the machine takes over it. options: as httpx has them."""
    return httpx.request(method, address, timeout=PATIENCE_SECONDS, **options)


class Runs(Protocol):
    """Whatever works in the background between `start` and `stop`, such as a service's worker."""

    def start(self) -> object:
        """Begin; returns at once."""

    def stop(self) -> object:
        """End and wait for the end."""


@contextmanager
def running(*parts: Runs) -> Iterator[None]:
    """The parts work for the length of the block; stopped in reverse order even when it fails."""
    with ExitStack() as stack:
        for part in parts:
            part.start()
            stack.callback(part.stop)
        yield
