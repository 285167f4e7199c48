"""Every way to fail ends as a problem that says which rule, in the caller's language, and gives nothing away."""

import io
import json
import logging
from typing import Any

import pytest
from marshmallow import ValidationError, validate

from infra.web.errors import PROBLEM_TYPE
from infra.web.messages import bilingual
from tests.unit.infra_web.sample import ID

PATH = f"/v1/things/{ID}"


def pointers(answer: Any) -> dict[str, str]:
    return {error["pointer"]: error["detail"] for error in answer.json["errors"]}


def test_a_refusal_names_its_rule(client: Any, bearer: dict[str, str]) -> None:
    """RFC 9457 with our members; the type ends in the rule."""
    answer = client.get("/v1/things/fail/full", headers=bearer)
    assert answer.status_code == 409
    assert answer.content_type == PROBLEM_TYPE
    assert answer.json["type"].endswith("/seats-full")
    assert answer.json["rule"] == "seats-full"
    assert answer.json["status"] == 409
    assert answer.json["detail"] == "Full."
    assert answer.json["current"] == {"seats": 0}
    assert answer.json["retry"] is False
    assert answer.json["errors"] == []


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        (None, "id"),
        ("", "id"),
        ("en", "en"),
        ("en-GB,en;q=0.8", "en"),
        ("id,en;q=0.5", "id"),
        ("id-ID,en;q=0.8", "id"),
        ("en-US,id;q=0.5", "en"),
        ("EN-us;q=0.3,id;q=0.5,en;q=0.2", "id"),
        ("fr,en;q=0.5", "en"),
        ("*,en;q=0.5", "id"),
        ("en;q=0", "id"),
        ("fr", "id"),
        ("*", "id"),
    ],
)
def test_it_speaks_the_callers_language(
    client: Any, bearer: dict[str, str], accepted: str | None, spoken: str
) -> None:
    """Indonesian unless English is preferred; the rule stays as it is."""
    headers = {"Authorization": bearer["Authorization"]} | (
        {} if accepted is None else {"Accept-Language": accepted}
    )
    answer = client.get("/v1/things/fail/hidden", headers=headers)
    assert answer.headers["Content-Language"] == spoken
    assert answer.json["rule"] == "unknown"
    assert answer.json["detail"] == {"id": "Sesi tidak ditemukan.", "en": "The session was not found."}[spoken]


def test_pointers_lead_into_the_body(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """Every fault at once, each with its place; keys are escaped as RFC 6901 has it."""
    body = thing | {
        "minutes": "3",
        "a/b~c": 1,
        "actions": [{"text": "ok", "done": True}, {"text": "", "done": 1, "x": 1}],
    }
    del body["name"]
    answer = client.put(PATH, json=body, headers=bearer)
    assert answer.status_code == 422
    assert answer.json["rule"] == "invalid"
    assert pointers(answer) == {
        "/name": "Must be given.",
        "/minutes": "Must be a whole number.",
        "/a~1b~0c": "This field is not known.",
        "/actions/1/text": "Must not be blank.",
        "/actions/1/done": "Must be true or false.",
        "/actions/1/x": "This field is not known.",
    }


def test_faults_are_told_up_to_a_hundred(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """And then that there are more."""
    answer = client.put(PATH, json=thing | {f"x{number}": 1 for number in range(200)}, headers=bearer)
    assert len(answer.json["errors"]) == 101
    assert answer.json["errors"][-1] == {"pointer": "", "detail": "There are more faults."}
    answer = client.put(PATH, json=thing | {f"x{number}": 1 for number in range(100)}, headers=bearer)
    assert len(answer.json["errors"]) == 100


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({f"x{number}": 1 for number in range(40_000)}, ""),
        ({"actions": [{}] * 40_000}, "/actions"),
        ({"actions": [{str(number): 1 for number in range(40_000)}]}, "/actions/0"),
        ({"x": [1] * 40_000}, "/x"),
    ],
)
def test_a_heap_of_faults_is_not_looked_through(
    client: Any, bearer: dict[str, str], thing: dict[str, Any], more: dict[str, Any], where: str
) -> None:
    """Wherever it lies, one fault stands for it."""
    answer = client.put(PATH, json=thing | more, headers=bearer)
    assert answer.status_code == 422
    assert pointers(answer) == {where: "At most 500 members or items."}


def test_faults_of_a_query_are_told_with_a_question_mark(client: Any, bearer: dict[str, str]) -> None:
    """Unknown parameters too, also where a route takes none."""
    answer = client.get("/v1/things?limit=0&status=open&cursor=!&colour=red", headers=bearer)
    assert answer.status_code == 422
    assert set(pointers(answer)) == {"?limit", "?status", "?cursor", "?colour"}
    answer = client.get(f"{PATH}?colour=red", headers=bearer)
    assert answer.status_code == 422
    assert set(pointers(answer)) == {"?colour"}


@pytest.mark.parametrize("body", [[], "x", 3, None, [{}], True])
def test_a_body_that_is_no_object(client: Any, bearer: dict[str, str], body: object) -> None:
    """The pointer of the whole body is the empty one."""
    answer = client.put(PATH, data=json.dumps(body), content_type="application/json", headers=bearer)
    assert answer.status_code == 422
    assert set(pointers(answer)) == {""}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1}x',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
    ],
    ids=["empty", "open", "quotes", "bytes", "nan", "infinity", "rest", "surrogate", "deep"],
)
def test_what_is_no_json(client: Any, bearer: dict[str, str], raw: bytes) -> None:
    """400, and nothing falls over however deep it is nested."""
    answer = client.put(PATH, data=raw, content_type="application/json", headers=bearer)
    assert (answer.status_code, answer.json["rule"]) == (400, "not-json")


def test_deep_nesting_that_is_json(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """A valid but absurd value is refused where it stands."""
    raw = json.dumps(thing)[:-1] + ', "level": ' + "[" * 900 + "]" * 900 + "}"
    answer = client.put(PATH, data=raw, content_type="application/json", headers=bearer)
    assert answer.status_code == 422
    assert set(pointers(answer)) == {"/level"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/problem+json", ""]
)
def test_another_content_type(client: Any, bearer: dict[str, str], kind: str) -> None:
    """415 instead of guessing."""
    answer = client.put(PATH, data=b"{}", content_type=kind, headers=bearer)
    assert (answer.status_code, answer.json["rule"]) == (415, "content-type")


def test_too_large_says_how_large_it_may_be(client: Any, bearer: dict[str, str]) -> None:
    """1 MiB, more only where a route allows it."""
    large = b'"' + b"x" * 1_200_000 + b'"'
    answer = client.put(PATH, data=large, content_type="application/json", headers=bearer)
    assert (answer.status_code, answer.json["rule"]) == (413, "too-large")
    assert "1048576" in answer.json["detail"]
    answer = client.put("/v1/things/bulk", json=["x" * 1_200_000], headers=bearer)
    assert answer.status_code == 200


def test_a_body_of_unknown_length_has_the_same_limit(client: Any, bearer: dict[str, str]) -> None:
    """Chunked transfer doesn't go around it, and isn't cut off silently either."""
    answer = client.put(
        PATH,
        input_stream=io.BytesIO(b" " * 1_200_000),
        content_type="application/json",
        headers=bearer | {"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["rule"]) == (413, "too-large")


def test_unknown_places_and_methods(client: Any, bearer: dict[str, str]) -> None:
    """Problems as well; 405 says what would be allowed. An id that is no lower-case UUID is no place."""
    assert client.get("/v1/nothing", headers=bearer).json["rule"] == "unknown"
    assert client.get(f"/v1/things/{ID.replace('1', 'A')}", headers=bearer).status_code == 404
    answer = client.delete(PATH, headers=bearer)
    assert (answer.status_code, answer.json["rule"]) == (405, "method-not-allowed")
    assert "PUT" in answer.headers["Allow"]


@pytest.mark.parametrize("kind", ["gone", "slow", "conflict", "unconfirmed", "forgotten", "many"])
def test_what_passes_says_when_to_come_back(client: Any, bearer: dict[str, str], kind: str) -> None:
    """503 for storage that is away, 429 for haste: both with Retry-After."""
    answer = client.get(f"/v1/things/fail/{kind}", headers=bearer)
    assert answer.status_code == (429 if kind == "many" else 503)
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("kind", ["bug", "broken"])
def test_an_accident_gives_nothing_away(
    client: Any, bearer: dict[str, str], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller gets a number, the log the place; what the exception quotes is in neither."""
    with caplog.at_level(logging.ERROR):
        answer = client.get(f"/v1/things/fail/{kind}", headers=bearer)
    assert (answer.status_code, answer.json["rule"]) == (500, "internal")
    assert "198001012005011001" not in answer.get_data(as_text=True)
    number = answer.json["detail"].split("Mention ")[1].split(" ")[0]
    assert number in caplog.text


def test_one_bad_item_never_loses_the_others(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """Bulk bodies are validated item by item, a future effective time included."""
    items = [thing, {"name": 1}, 5, thing | {"effective_at": "2026-05-16T01:00:01Z"}, thing]
    answer = client.put("/v1/things/bulk", json=items, headers=bearer)
    rules = [item.get("problem", {}).get("rule") for item in answer.json]
    assert rules == [None, "invalid", "invalid", "effective-in-future", None]


def test_the_clock_refuses_the_future(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """By the app's clock, to the second; now and the past are fine."""
    for moment, status in (
        ("2026-05-16T08:00:01+07:00", 409),
        ("2026-05-16T08:00:00+07:00", 200),
        ("2016-05-16T00:00:00Z", 200),
    ):
        assert client.put(PATH, json=thing | {"effective_at": moment}, headers=bearer).status_code == status


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (validate.Range(1, 3), 5),
        (validate.Range(min=1), 0),
        (validate.Range(max=3), 5),
        (validate.Range(1, 3, min_inclusive=False, max_inclusive=False), 5),
        (validate.Length(1, 3), ""),
        (validate.Length(max=3), "abcd"),
        (validate.Length(min=3), ""),
        (validate.Length(equal=3), ""),
        (validate.OneOf(["a", "b"]), "c"),
        (validate.Regexp("a"), "b"),
    ],
    ids=str,
)
def test_the_libraries_own_sentences_are_translated(validator: Any, value: object) -> None:
    """No validator that we use speaks English to someone who reads Indonesian."""
    with pytest.raises(ValidationError) as refused:
        validator(value)
    text = bilingual(refused.value.messages[0])
    assert text.id != text.en
