"""AsyncAPI 3 of a service: what it publishes, drawn from the schemas it publishes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from infra.problems import Text

TYPE_PREFIX = "id.go.tangerangkota.bina."

HEADERS: dict[str, tuple[dict[str, Any], bool]] = {
    "ce_specversion": ({"type": "string", "const": "1.0"}, True),
    "ce_id": (
        {"type": "string", "format": "uuid", "description": "UUIDv5 of aggregate, id and sequence."},
        True,
    ),
    "ce_source": ({"type": "string"}, True),
    "ce_type": ({"type": "string"}, True),
    "ce_subject": ({"type": "string", "description": "The aggregate's id."}, True),
    "ce_time": ({"type": "string", "format": "date-time", "description": "When it was recorded."}, True),
    "ce_effectiveat": (
        {"type": "string", "format": "date-time", "description": "When it took effect."},
        True,
    ),
    "ce_sequence": (
        {"type": "string", "description": "Counts the aggregate's events, from 1, without holes."},
        True,
    ),
    "ce_partitionkey": ({"type": "string", "description": "The record key."}, True),
    "content-type": ({"type": "string", "const": "application/json"}, True),
}


@dataclass(frozen=True)
class Published:
    """One kind of event. type: `pairing.activated`. schema: of the event's data, a marshmallow instance."""

    type: str
    topic: str
    schema: Schema
    description: Text
    version: int = 1

    @property
    def full_type(self) -> str:
        """The CloudEvents type."""
        return f"{TYPE_PREFIX}{self.type}.v{self.version}"

    @property
    def name(self) -> str:
        """The key of the message in the document."""
        return f"{self.type}.v{self.version}"


def document(
    service: str, title: Text, published: Sequence[Published], consumed: Sequence[str] = ()
) -> dict[str, Any]:
    """The whole document. consumed: topics of other services that this one reads."""
    schemas = _schemas(published)
    topics = sorted({event.topic for event in published})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title.en, "version": "1.0.0", "description": title.id},
        "defaultContentType": "application/json",
        "channels": {
            **{topic: _channel(topic, [e for e in published if e.topic == topic]) for topic in topics},
            **{topic: _foreign(topic) for topic in sorted(set(consumed) - set(topics))},
        },
        "operations": {
            **{_operation("send", topic): _does("send", topic) for topic in topics},
            **{_operation("receive", topic): _does("receive", topic) for topic in sorted(consumed)},
        },
        "components": {
            "messages": {event.name: _message(service, event) for event in published},
            "schemas": schemas,
        },
    }


def _channel(topic: str, events: Sequence[Published]) -> dict[str, Any]:
    messages = {event.name: {"$ref": f"#/components/messages/{event.name}"} for event in events}
    return {"address": topic, "messages": messages, "bindings": {"kafka": {"topic": topic}}}


def _foreign(topic: str) -> dict[str, Any]:
    return {"address": topic, "description": "Described by the service that publishes it.", "messages": {}}


def _operation(action: str, topic: str) -> str:
    return f"{action}-{topic}"


def _does(action: str, topic: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}


def _message(service: str, event: Published) -> dict[str, Any]:
    own = {"ce_type": {"type": "string", "const": event.full_type}}
    headers = {name: schema for name, (schema, _) in HEADERS.items()} | own
    return {
        "name": event.full_type,
        "title": event.description.en,
        "summary": event.description.id,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": headers,
            "required": [name for name, (_, required) in HEADERS.items() if required],
        },
        "payload": {"$ref": f"#/components/schemas/{_schema_name(event.schema)}"},
        "tags": [{"name": service}],
    }


def _schema_name(schema: Schema) -> str:
    return type(schema).__name__.removesuffix("Schema")


def _schemas(published: Sequence[Published]) -> dict[str, Any]:
    """JSON schemas of all data, nested ones included, by apispec's converter."""
    spec = APISpec("events", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    for event in published:
        name = _schema_name(event.schema)
        if name not in spec.components.schemas:
            spec.components.schema(name, schema=event.schema)
    made: dict[str, Any] = spec.components.to_dict().get("schemas", {})
    return made
