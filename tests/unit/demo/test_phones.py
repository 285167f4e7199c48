"""What a phone does with answers, against a service that is played here."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from demo.play import phones
from demo.play.callers import Caller, PlayError, Services

Handler = Callable[[httpx.Request], httpx.Response]


def phone(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> Caller:
    """A phone whose requests end in `handler`."""
    client = httpx.Client

    def faked(**options: Any) -> httpx.Client:
        return client(transport=httpx.MockTransport(handler), base_url=options["base_url"])

    monkeypatch.setattr(httpx, "Client", faked)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    services = Services({"sessions": "http://sessions.invalid"}, lambda sub, roles, unit: "token")
    return services.caller("somebody", "employee")


def answer(results: list[dict[str, Any]]) -> httpx.Response:
    return httpx.Response(200, json={"results": results, "changes": [], "cursor": "c", "more": False})


def test_what_came_before_its_pairing_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost on the phone; a planned session takes the held one that builds on it along."""
    seen: list[list[str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["sessions"]
        seen.append([f"{item['id']}:{item['status']}" for item in items])
        early = {"a": "pairing-unknown"} if len(seen) == 1 else {}
        rules = [early.get(item["id"]) if item["status"] == "planned" else None for item in items]
        stale = [item["id"] in early and item["status"] == "held" for item in items]
        return answer(
            [
                {
                    "id": item["id"],
                    "status": "refused",
                    "problem": {"rule": rule or "stale", "retry": rule is not None},
                }
                if rule or old
                else {"id": item["id"], "status": "stored"}
                for item, rule, old in zip(items, rules, stale, strict=True)
            ]
        )

    sent = phones.Sent()
    items = [{"id": "a", "status": "planned"}, {"id": "a", "status": "held"}, {"id": "b", "status": "held"}]
    phones._in_bulk(phone(monkeypatch, handler), items, sent)
    assert seen == [["a:planned", "a:held", "b:held"], ["a:planned", "a:held"]]
    assert sent.again == 2


def test_another_refusal_ends_the_play(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that the story wants stored must be stored."""

    def handler(_: httpx.Request) -> httpx.Response:
        return answer([{"id": "a", "status": "refused", "problem": {"rule": "session-overlap"}}])

    with pytest.raises(PlayError, match="session-overlap"):
        phones._in_bulk(phone(monkeypatch, handler), [{"id": "a", "status": "held"}], phones.Sent())


def test_a_repeat_must_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same queue a second time is `unchanged`, item by item."""
    caller = phone(monkeypatch, lambda _: answer([{"id": "a", "status": "stored"}]))
    with pytest.raises(PlayError, match="not `unchanged`"):
        phones._repeat(caller, [{"id": "a"}], phones.Sent())


def test_a_busy_service_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After is no failure."""
    answers = [
        httpx.Response(503, headers={"Retry-After": "0"}),
        httpx.Response(200, json={"items": [], "next": None}),
    ]
    caller = phone(monkeypatch, lambda _: answers.pop(0))
    assert list(caller.pages("sessions", "/sessions")) == []
    assert answers == []
