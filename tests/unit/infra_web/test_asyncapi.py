"""AsyncAPI: what a service publishes, drawn from the schemas that it publishes by."""

from typing import Any

from marshmallow import fields

from infra.clock import from_wire
from infra.messaging.asyncapi import HEADERS, Published, document
from infra.messaging.envelope import to_headers
from infra.problems import Text
from infra.web.fields import Body, Instant, OneOf, UuidStr, opt
from tests.unit.infra_web.sample import ID, NOW


class Step(Body):
    state = OneOf("draft", "open", required=True)
    at = Instant(required=True)


class BatchData(Body):
    id = UuidStr(required=True)
    opened_at = opt(Instant())
    history = fields.List(fields.Nested(Step()), required=True)


def made() -> dict[str, Any]:
    opened = Published(
        "batch.opened", "enrollment.events", BatchData(), Text("Angkatan dibuka", "A batch was opened")
    )
    closed = Published(
        "batch.closed", "enrollment.events", BatchData(), Text("Angkatan ditutup", "A batch was closed")
    )
    return document("enrollment", Text("Bina", "Bina"), [opened, closed], ["sessions.events"])


def test_topics_are_channels_and_events_messages() -> None:
    """Own topics are sent to, others' are read; every reference leads somewhere."""
    told = made()
    assert told["asyncapi"] == "3.0.0"
    channels = told["channels"]
    assert set(channels) == {"enrollment.events", "sessions.events"}
    assert set(channels["enrollment.events"]["messages"]) == {"batch.opened.v1", "batch.closed.v1"}
    operations = told["operations"]
    assert {name: operation["action"] for name, operation in operations.items()} == {
        "send-enrollment.events": "send",
        "receive-sessions.events": "receive",
    }
    for reference in _references(told):
        _resolve(told, reference)


def test_a_message_has_its_type_and_data() -> None:
    """The full CloudEvents type, and the JSON schema of the data with what is nested in it."""
    components = made()["components"]
    message = components["messages"]["batch.opened.v1"]
    assert message["name"] == "id.go.tangerangkota.bina.batch.opened.v1"
    assert message["headers"]["properties"]["ce_type"]["const"] == message["name"]
    schema = components["schemas"]["BatchData"]
    assert schema["properties"]["opened_at"]["type"] == ["string", "null"]
    assert schema["properties"]["history"]["items"] == {"$ref": "#/components/schemas/Step"}


def test_the_headers_are_those_that_are_sent() -> None:
    """Neither more nor fewer than the relay writes."""
    event = {"id": ID, "type": "batch.opened", "seq": 1, "time": NOW, "effective_at": NOW}
    sent = dict(to_headers(event, source="enrollment", subject=ID, key=ID.encode()))
    assert set(sent) == set(HEADERS)
    assert from_wire(sent["ce_time"].decode()) == NOW


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


def _resolve(whole: object, reference: str) -> None:
    node = whole
    for step in reference.removeprefix("#/").split("/"):
        assert isinstance(node, dict)
        assert step in node, reference
        node = node[step]
