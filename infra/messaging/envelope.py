"""CloudEvents 1.0 over Kafka: written in binary mode, read in binary and structured mode."""

import base64
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from infra.clock import from_wire

TYPE_PREFIX = "id.go.tangerangkota.bina."
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "bina.tangerangkota.go.id")
STRUCTURED = "application/cloudevents+json"

NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"
"""Stands in the name of a header for what is not UTF-8."""

Headers = list[tuple[str, bytes]]


class Missing(bytes):
    """The value of the record that stands, at the last of their offsets, for those that can't be had; says why."""

    __slots__ = ()


class Unreadable(Exception):
    """A message that is no event of ours. The text names what is missing and quotes nothing of the content."""


def derived_id(*parts: str) -> str:
    """An id that follows from what it stands for (UUIDv5), so that doing a thing twice makes the same thing."""
    # The same as uuid.uuid5, in half the time: every event has one.
    name = NAMESPACE.bytes + "\x1f".join(parts).encode()
    digest = bytearray(hashlib.sha1(name, usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it was read. `type` is short (`pairing.activated`), `seq` counts the aggregate's events.

    body: the data as JSON, None for a tombstone. time: when it was recorded; effective_at: when it took effect.
    """

    id: str
    source: str
    type: str
    version: int
    subject: str
    seq: int
    time: datetime
    effective_at: datetime
    key: str
    body: bytes | None
    topic: str = ""
    partition: int = 0
    offset: int = 0

    @property
    def aggregate(self) -> str:
        """The kind of aggregate that the event speaks of: `pairing`."""
        return self.type.split(".")[0]

    @property
    def data(self) -> dict[str, Any]:
        """The data as plain values; readers with a type of their own decode `body` themselves."""
        decoded: dict[str, Any] = msgspec.json.decode(self.body or b"{}")
        return decoded


def to_headers(event: Mapping[str, Any], *, source: str, subject: str, key: bytes, version: int = 1) -> Headers:
    """The Kafka headers of an event as an aggregate's document keeps it; its times are in UTC.

    version: of the data, which goes into the type.
    """
    time, effective = event["time"], event["effective_at"]
    recorded = _stamp(time)
    return [
        _SPECVERSION,
        ("ce_id", event["id"].encode()),
        _source_header(source),
        _type_header(event["type"], version),
        ("ce_subject", subject.encode()),
        ("ce_time", recorded),
        ("ce_effectiveat", recorded if effective == time else _stamp(effective)),
        ("ce_sequence", b"%010d" % event["seq"]),
        ("ce_partitionkey", key),
        _CONTENT_TYPE,
    ]


# The relay makes these for every event: what can be made beforehand is.
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")


@lru_cache(maxsize=8)
def _source_header(source: str) -> tuple[str, bytes]:
    return "ce_source", f"/{source}".encode()


@lru_cache(maxsize=256)
def _type_header(type_: str, version: int) -> tuple[str, bytes]:
    return "ce_type", f"{TYPE_PREFIX}{type_}.v{version}".encode()


def _stamp(instant: datetime) -> bytes:
    """RFC 3339 of an instant in UTC, with or without a zone."""
    return f"{instant.isoformat(timespec='milliseconds')[:23]}Z".encode()


def decode(
    headers: Sequence[tuple[str, bytes | None]],
    key: bytes | None,
    value: bytes | None,
    *,
    topic: str = "",
    partition: int = 0,
    offset: int = 0,
) -> Event:
    """Reads an event in either mode. Raises Unreadable."""
    if isinstance(value, Missing):
        raise Unreadable(value.decode())
    try:
        found = {name.lower(): raw.decode() for name, raw in headers if raw is not None}
        record_key = key.decode() if key is not None else ""
    except UnicodeDecodeError:
        raise Unreadable("headers or key are not UTF-8") from None
    if NOT_UTF8 in "".join(found):
        raise Unreadable("the name of a header is not UTF-8")
    body = value
    if found.get("content-type", "").startswith(STRUCTURED):
        found, body = _structured(value)
    return _event(found, record_key, body, topic, partition, offset)


def _structured(value: bytes | None) -> tuple[dict[str, str], bytes | None]:
    """The attributes, named as in the headers of binary mode, and the data."""
    try:
        envelope = msgspec.json.decode(value or b"", type=dict[str, Any])
        if "data_base64" in envelope:
            body: bytes | None = base64.b64decode(envelope.pop("data_base64"), validate=True)
        else:
            data = envelope.pop("data", None)
            body = None if data is None else msgspec.json.encode(data)
    except (msgspec.DecodeError, ValueError, TypeError):
        raise Unreadable("the structured event is not a JSON object") from None
    return {f"ce_{name}": str(item) for name, item in envelope.items()}, body


def _event(
    found: Mapping[str, str], key: str, body: bytes | None, topic: str, partition: int, offset: int
) -> Event:
    if found.get("ce_specversion") != "1.0":
        raise Unreadable("specversion is not 1.0")
    try:
        name, version = found["ce_type"].removeprefix(TYPE_PREFIX).rsplit(".v", 1)
        recorded = found["ce_time"]
        effective = found.get("ce_effectiveat", recorded)
        time = from_wire(recorded)
        return Event(
            id=found["ce_id"],
            source=found["ce_source"].strip("/"),
            type=name,
            version=int(version),
            subject=found["ce_subject"],
            seq=int(found["ce_sequence"]),
            time=time,
            effective_at=time if effective == recorded else from_wire(effective),
            key=found.get("ce_partitionkey", key),
            body=body,
            topic=topic,
            partition=partition,
            offset=offset,
        )
    except KeyError as error:
        raise Unreadable(f"{error.args[0].removeprefix('ce_')} is missing") from None
    except ValueError:
        raise Unreadable("type, time, effectiveat or sequence is malformed") from None
