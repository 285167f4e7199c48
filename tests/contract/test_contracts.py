"""The published contract says what the code does, and is valid by the standards it names."""

import json
import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from infra import contract
from infra.messaging.asyncapi import TYPE_PREFIX
from infra.web.texts import _UUID

SAMPLES = contract.FOLDER.parent.parent / "services"


@pytest.fixture(scope="module")
def openapi() -> dict[str, dict[str, Any]]:
    return {service: contract.openapi_of(service) for service in contract.SERVICES}


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, dict[str, Any]]:
    return {service: contract.asyncapi_of(service) for service in contract.SERVICES}


def test_the_documents_in_the_repository_are_those_of_the_code() -> None:
    """A change of the contract is seen in review; `make contract` writes them anew."""
    stale = [name for name, content in contract.documents() if (contract.FOLDER / name).read_bytes() != content]
    assert not stale


@pytest.mark.parametrize("service", contract.SERVICES)
def test_openapi_is_valid(service: str, openapi: dict[str, dict[str, Any]]) -> None:
    """By the standard; every operation has a summary, and refusals are problems."""
    document = openapi[service]
    validate(document)
    for path, item in document["paths"].items():
        for method in {"get", "put", "post", "delete"} & set(item):
            assert item[method].get("summary"), f"{method} {path}"
            assert "default" in item[method]["responses"], f"{method} {path}"


@pytest.mark.parametrize("service", contract.SERVICES)
def test_every_path_is_snake_case_below_v1(service: str, openapi: dict[str, dict[str, Any]]) -> None:
    """Paths in words with hyphens, members in snake_case."""
    for path in openapi[service]["paths"]:
        assert re.fullmatch(r"/v1(/([a-z-]+|\{[a-z_]+\}|[a-z]+\.[a-z]+))+", path), path
    for name, schema in openapi[service]["components"]["schemas"].items():
        for member in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", member), f"{name}.{member}"


@pytest.mark.parametrize("service", contract.SERVICES)
def test_every_list_is_paged(service: str, openapi: dict[str, dict[str, Any]]) -> None:
    """Whatever answers with `{items, next}` takes `limit` and `cursor`."""
    schemas = openapi[service]["components"]["schemas"]
    lists = {
        f"#/components/schemas/{name}" for name, each in schemas.items() if "next" in each.get("properties", {})
    }
    for path, item in openapi[service]["paths"].items():
        for method in {"get", "post"} & set(item):
            answer = item[method]["responses"].get("200", {}).get("content", {}).get("application/json", {})
            if answer.get("schema", {}).get("$ref") in lists:
                taken = {each["name"] for each in item[method].get("parameters", ())}
                assert {"limit", "cursor"} <= taken, f"{method} {path}"


@pytest.mark.parametrize("service", contract.SERVICES)
def test_only_what_must_be_is_open(service: str, openapi: dict[str, dict[str, Any]]) -> None:
    """Certificate checks are open to all; everything else below /v1 asks for a token."""
    opened = {
        path
        for path, item in openapi[service]["paths"].items()
        for method in {"get", "put", "post", "delete"} & set(item)
        if not item[method].get("security")
    }
    assert opened <= {"/v1/certificates/{number}"}


@pytest.mark.parametrize("service", contract.SERVICES)
def test_every_event_ever_published_has_a_sample_that_fits(
    service: str, asyncapi: dict[str, dict[str, Any]]
) -> None:
    """Samples are kept for ever: what a reader must still understand, proven on the publisher's side."""
    document = asyncapi[service]
    folder = SAMPLES / service / "samples"
    samples = {path.name.removesuffix(".json") for path in folder.glob("*.json")}
    assert set(document["components"]["messages"]) <= samples
    for name, message in document["components"]["messages"].items():
        sample = json.loads((folder / f"{name}.json").read_bytes())
        assert sample["type"] == TYPE_PREFIX + name
        assert sample["type"] == message["name"]
        assert sample["specversion"] == "1.0"
        assert _UUID.fullmatch(sample["id"])
        if sample.get("data") is not None:
            _fits(sample["data"], message["payload"], document)


def _fits(data: object, payload: dict[str, Any], document: dict[str, Any]) -> None:
    schema = {**payload, "components": document["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(data)


@pytest.mark.parametrize("service", contract.SERVICES)
def test_no_event_of_the_four_topics_holds_personal_data(
    service: str, asyncapi: dict[str, dict[str, Any]]
) -> None:
    """Names, numbers and addresses of people travel in `enrollment.people` alone."""
    document = asyncapi[service]
    for topic, channel in document["channels"].items():
        if topic == "enrollment.people":
            continue
        for name in channel["messages"]:
            told = set(_members(document["components"]["messages"][name]["payload"], document))
            personal = {"nip", "email", "phone", "summary", "private_note", "goal", "reason", "comment"}
            assert not told & personal, name


def _members(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        return _members(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], document)
    own = list(schema.get("properties", {}))
    below = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return own + [member for part in below for member in _members(part, document)]
