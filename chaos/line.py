"""A phone's line to a service: what is not answered is sent again, as it is, until it is answered."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT_SECONDS = 8.0
LONGEST_PAUSE = 2.0
_BUSY = (429, 503)
_BROKEN = 500


class Unanswered(Exception):
    """Nobody has answered for longer than a phone waits; the message tells what was asked."""


@dataclass
class Answer:
    """What came back at last. tries: how often it was sent; more than once means it may have been done before."""

    status: int
    body: Any
    tries: int

    @property
    def good(self) -> bool:
        """Whether the service has taken it."""
        return self.status in (200, 201)

    @property
    def rule(self) -> str:
        """The rule that refused it, or the bare status."""
        return str(self.body.get("rule") or self.status)


@dataclass
class Weather:
    """What all phones together met: answers by status, times without an answer, and the longest wait (seconds)."""

    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    longest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int | None, waited: float) -> None:
        """One try is over, with this status or none."""
        with self.lock:
            if status is None:
                self.unanswered += 1
            else:
                self.answers[status] += 1
            self.longest = max(self.longest, waited)


class Line:
    """One phone's connection, with its owner's token. Not to be shared by threads."""

    def __init__(self, url: str, token: str, weather: Weather, patience: float) -> None:
        self._client = httpx.Client(
            base_url=f"{url}/v1", timeout=TIMEOUT_SECONDS, headers={"Authorization": f"Bearer {token}"}
        )
        self._weather = weather
        self._patience = patience
        # Phones don't all try at the same instant; when they do so decides nothing that is counted.
        self._jitter = random.Random()

    def ask(
        self, method: str, path: str, body: Any = None, *, version: int | None = None, key: str | None = None
    ) -> Answer:
        """Sends until answered. version: for If-Match. key: for Idempotency-Key.

        Raises Unanswered after `patience` seconds.
        """
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        headers |= {} if key is None else {"Idempotency-Key": key}
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            answer = self._once(method, path, body, headers)
            waited = time.monotonic() - began
            self._weather.note(answer.status_code if answer is not None else None, waited)
            if answer is not None and not _to_be_sent_again(answer):
                is_json = "json" in answer.headers.get("Content-Type", "")
                return Answer(answer.status_code, answer.json() if is_json else {}, tries)
            if waited > self._patience:
                raise Unanswered(f"{method} {path} after {tries} tries")
            time.sleep(min(LONGEST_PAUSE, 0.05 * 2 ** min(tries, 6)) * (0.5 + self._jitter.random()))

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def _once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response | None:
        try:
            return self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return None


Dial = Callable[..., Line]
"""A line to a service with the token of this person, who asks as `employee` unless another role is given."""


def _to_be_sent_again(answer: httpx.Response) -> bool:
    if answer.status_code in _BUSY or answer.status_code == _BROKEN:
        return True
    return bool(answer.status_code == 409 and answer.json().get("retry"))
