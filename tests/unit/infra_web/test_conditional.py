"""Versions, repeats and pages."""

from typing import Any

import pytest

from tests.unit.infra_web.conftest import Issuer
from tests.unit.infra_web.sample import ID

PATH = f"/v1/things/{ID}"


def test_an_answer_bears_its_version(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """`ETag: "<version>"`, and what If-Match said arrives at the view."""
    answer = client.put(PATH, json=thing, headers=bearer | {"If-Match": '"7"'})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"7"')
    # A proxy that compresses weakens the tag; the client hands that back.
    assert client.put(PATH, json=thing, headers=bearer | {"If-Match": 'W/"7"'}).headers["ETag"] == '"7"'
    assert client.put(PATH, json=thing, headers=bearer).headers["ETag"] == '"1"'


@pytest.mark.parametrize("tag", ["*", "7", '"x"', '"1", "2"', '"-1"', '""', '"' + "9" * 40 + '"'])
def test_all_but_one_version_is_a_version_of_nothing(
    client: Any, bearer: dict[str, str], thing: dict[str, Any], tag: str
) -> None:
    """`*` would overwrite what the caller has not seen."""
    answer = client.put(PATH, json=thing, headers=bearer | {"If-Match": tag})
    assert answer.headers["ETag"] == '"-1"'


@pytest.mark.parametrize(
    ("tag", "status"), [('"3"', 304), ('W/"3"', 304), ('"1", "3"', 304), ("*", 304), ('"2"', 200)]
)
def test_what_the_caller_has_is_not_sent_again(client: Any, bearer: dict[str, str], tag: str, status: int) -> None:
    """304 without a body, with the same tag."""
    answer = client.get(PATH, headers=bearer | {"If-None-Match": tag})
    assert answer.status_code == status
    assert answer.headers["ETag"] == '"3"'
    assert (answer.data == b"") is (status == 304)


def test_a_repeat_gives_the_first_answer(client: Any, bearer: dict[str, str], thing: dict[str, Any]) -> None:
    """The same key and content, in any order of members, make the same thing; other content is refused."""
    key = bearer | {"Idempotency-Key": "portal-77"}
    first = client.post("/v1/things", json=thing, headers=key)
    again = client.post("/v1/things", json=dict(reversed(thing.items())), headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert first.headers["Location"] == f"/v1/things/{first.json['id']}"
    other = client.post("/v1/things", json=thing | {"minutes": 31}, headers=key)
    assert (other.status_code, other.json["rule"]) == (422, "idempotency-key-reused")


def test_a_key_belongs_to_its_caller(
    client: Any, bearer: dict[str, str], thing: dict[str, Any], issuer: Issuer
) -> None:
    """Somebody else's key of the same name, and no key at all, make other things."""
    other = {"Authorization": f"Bearer {issuer.token('u2')}"}
    made = {
        client.post("/v1/things", json=thing, headers=headers).json["id"]
        for headers in (bearer | {"Idempotency-Key": "1"}, other | {"Idempotency-Key": "1"}, bearer, bearer)
    }
    assert len(made) == 4


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_a_key_has_a_form(client: Any, bearer: dict[str, str], thing: dict[str, Any], key: str) -> None:
    """1-255 visible ASCII characters."""
    answer = client.post("/v1/things", json=thing, headers=bearer | {"Idempotency-Key": key})
    assert (answer.status_code, answer.json["rule"]) == (400, "idempotency-key-malformed")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?limit=1", 200),
        ("?limit=200", 200),
        ("?limit=201", 422),
        ("?limit=0", 422),
        ("?limit=ten", 422),
    ],
)
def test_limits_of_a_page(client: Any, bearer: dict[str, str], query: str, status: int) -> None:
    """1 to 200."""
    assert client.get(f"/v1/things{query}", headers=bearer).status_code == status


def test_a_page_has_fifty_items_unless_said(client: Any, bearer: dict[str, str]) -> None:
    """The default reaches the view; `next` is always there."""
    assert client.get("/v1/things?cursor=abc", headers=bearer).json == {"items": [], "next": "50"}
    assert client.get("/v1/things", headers=bearer).json == {"items": [], "next": None}
