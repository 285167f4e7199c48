"""What every answer has, and what a service tells of itself."""

import json
import logging
from typing import Any

import httpx
import pytest
from flask import Flask
from openapi_spec_validator import validate

from infra.local.ports import free_port
from infra.problems import Text
from infra.settings import Settings
from infra.telemetry.logs import JsonFormatter, bind
from infra.web.app import build_app
from infra.web.health import serve_health
from tests.support import fetch
from tests.unit.infra_web.sample import ID


def test_headers_of_every_answer(client: Any, bearer: dict[str, str]) -> None:
    """Nothing is sniffed, kept or told to others, refusals included; pages run no foreign script."""
    for path, kept in (("/v1/things/me", "no-store"), ("/v1/nothing", "no-store"), ("/docs", None)):
        answer = client.get(path, headers=bearer)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Server"] == "bina"
        assert answer.headers.get("Cache-Control") == kept
    assert "default-src 'none'" in client.get("/docs").headers["Content-Security-Policy"]


def test_no_cookie_and_nothing_of_the_host_that_was_named(
    client: Any, bearer: dict[str, str], thing: dict[str, Any]
) -> None:
    """Identity is the token alone, so no other site can borrow it; and no answer leads to a foreign host."""
    foreign = {"Host": "attacker.example", "X-Forwarded-Host": "attacker.example", "Cookie": "session=1"}
    asked = [
        client.put(f"/v1/things/{ID}", json=thing, headers=bearer | foreign),
        *(client.get(path, headers=bearer | foreign) for path in ("/v1/things/me", "/v1/none", "/docs", "/livez")),
        client.get("/v1/things/me", headers=foreign),
        client.get("/openapi.json", headers=foreign),
    ]
    for answer in asked:
        told = f"{answer.headers}{answer.get_data(as_text=True)}"
        assert "attacker.example" not in told
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert asked[-2].status_code == 401


def test_a_request_keeps_its_number(client: Any) -> None:
    """The caller's, when it is one; else a fresh one."""
    assert client.get("/livez", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"] == "abc-12345"
    odd = client.get("/livez", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"]
    assert len(odd) == 32


def test_health(client: Any) -> None:
    """Alive and ready, without a token."""
    assert client.get("/livez").json == {"service": "sessions", "live": True}
    assert client.get("/readyz").json == {
        "service": "sessions",
        "ready": True,
        "checks": {"store": True, "keys": True},
    }


def test_not_ready_says_what_is_missing(environment: dict[str, str]) -> None:
    """503 names the check that fails, and not why: that may hold an address with a password."""

    def broken() -> None:
        raise ConnectionError("mongodb://bina:hunter2@db")

    settings = Settings.from_env("sessions", environment)
    app = build_app(settings, Text("a", "b"), [], ready={"store": broken, "bus": lambda: None})
    answer: Any = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"] == {"store": False, "bus": True, "keys": True}
    assert "hunter2" not in answer.get_data(as_text=True)


def test_requests_are_counted_by_route(client: Any, bearer: dict[str, str]) -> None:
    """By template, so that ids don't make a series each."""
    client.get(f"/v1/things/{ID}", headers=bearer)
    client.open(f"/v1/things/{ID}", method="BREW-HTCPCP")
    told = client.get("/metrics").get_data(as_text=True)
    assert 'bina_http_request_seconds_count{method="GET",route="/v1/things/<id:thing_id>",status="200"}' in told
    assert ID not in told
    assert 'method="(other)"' in told
    assert "BREW" not in told


def test_the_access_log_says_who_and_where(
    client: Any, bearer: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Method, route, status, time and subject; no query, no token, nothing of an unknown address."""
    with caplog.at_level(logging.INFO, "access"):
        client.get(f"/v1/things/{ID}?secret=1", headers=bearer | {"X-Request-Id": "request-1"})
        client.get("/v1/198001012005011001", headers=bearer)
        client.get("/livez")
    lines = [json.loads(JsonFormatter("sessions").format(record)) for record in caplog.records]
    assert [line["status"] for line in lines] == [422, 404]
    assert lines[0] | {"sub": "u1", "route": "/v1/things/<id:thing_id>", "path": f"/v1/things/{ID}"} == lines[0]
    told = json.dumps(lines)
    for hidden in ("secret", "198001012005011001", bearer["Authorization"][-20:]):
        assert hidden not in told


def test_a_log_entry_is_one_json_line() -> None:
    """With what was bound to the thread, and an exception by class and place, never by its words."""
    bind(request_id="r1")
    try:
        int("198001012005011001x")
    except ValueError as error:
        made = {"msg": "it\nfailed", "levelname": "ERROR", "name": "x", "event_id": "e1"}
        record = logging.makeLogRecord(made)
        record.exc_info = (type(error), error, error.__traceback__)
    line = JsonFormatter("sessions").format(record)
    bind()
    assert "\n" not in line
    assert "198001012005011001" not in line
    entry = json.loads(line)
    assert (entry["service"], entry["level"], entry["request_id"], entry["event_id"]) == (
        "sessions",
        "error",
        "r1",
        "e1",
    )
    assert entry["error"][0]["type"] == "builtins.ValueError"


def test_the_document_is_valid_and_complete(client: Any) -> None:
    """OpenAPI 3.1: problems as problem+json, tokens where needed, versions and repeats where they count."""
    document = client.get("/openapi.json").json
    validate(document)
    assert document["openapi"] == "3.1.0"
    put = document["paths"]["/v1/things/{thing_id}"]["put"]
    assert put["security"] == [{"bearer": []}]
    assert {"200", "201", "400", "401", "403", "412", "413", "415", "422", "428", "default"} <= set(
        put["responses"]
    )
    assert [p["name"] for p in put["parameters"]] == ["If-Match"]
    post = document["paths"]["/v1/things"]["post"]
    assert [p["name"] for p in post["parameters"]] == ["Idempotency-Key"]
    assert "security" not in document["paths"]["/v1/things/open"]["get"]
    assert list(document["components"]["responses"]["Problem"]["content"]) == ["application/problem+json"]
    query = {p["name"]: p["schema"] for p in document["paths"]["/v1/things"]["get"]["parameters"]}
    assert query["status"] == {"type": "string", "enum": ["planned", "held"]}
    assert query["limit"] == {"type": "integer", "default": 50, "minimum": 1, "maximum": 200}
    thing = document["components"]["schemas"]["ThingIn"]
    assert thing["additionalProperties"] is False
    assert thing["properties"]["level"] == {
        "type": ["integer", "null"],
        "default": None,
        "minimum": 0,
        "maximum": 4,
    }


@pytest.mark.parametrize(("spoken", "words"), [("id", "Isi permintaan"), ("en", "Request body")])
def test_the_page_can_be_read(client: Any, spoken: str, words: str) -> None:
    """Every operation and shape is on it, in both languages; links are relative, for the gateway's prefix."""
    page = client.get("/docs", headers={"Accept-Language": spoken}).get_data(as_text=True)
    assert words in page
    for expected in ("/v1/things/{thing_id}", "Put a thing.", 'id="ThingOut"', 'href="openapi.json"'):
        assert expected in page
    assert "<script" not in page
    assert client.get("/docs/static/docs.css").status_code == 200


def test_no_path_leads_out_of_the_static_folder(client: Any) -> None:
    """Only what lies there is served."""
    for path in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd"):
        assert client.get(f"/docs/static/{path}").status_code == 404


def test_a_head_is_a_get_without_a_body(client: Any, bearer: dict[str, str]) -> None:
    """With the same rights and the same refusals."""
    assert client.head("/v1/things", headers=bearer).status_code == 200
    assert client.head("/v1/things?colour=red", headers=bearer).status_code == 422
    assert client.head("/v1/things").status_code == 401


def test_workers_tell_of_their_health_too() -> None:
    """The same three addresses, until it is stopped."""
    state: dict[str, Any] = {"live": True}

    def store() -> None:
        if not state["live"]:
            raise ConnectionError

    port = free_port()
    stop = serve_health(port, "sessions", lambda: bool(state["live"]), {"store": store})
    try:
        at = f"http://127.0.0.1:{port}"
        assert fetch(f"{at}/livez").json() == {"service": "sessions", "live": True}
        assert fetch(f"{at}/readyz").status_code == 200
        assert "python_info" in fetch(f"{at}/metrics").text
        state["live"] = False
        assert fetch(f"{at}/livez").status_code == 503
        assert fetch(f"{at}/readyz").json()["checks"] == {"store": False}
    finally:
        stop()
    with pytest.raises(httpx.ConnectError):
        fetch(f"http://127.0.0.1:{port}/livez")


def test_building_an_app_twice_gives_two(environment: dict[str, str], app: Flask) -> None:
    """No state hides in modules."""
    settings = Settings.from_env("sessions", environment)
    assert build_app(settings, Text("a", "b"), []) is not app
