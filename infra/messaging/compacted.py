"""Records of compacted topics, whose names a tombstone erases: what of them may outlive that, which is current."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from kafka import KafkaProducer
from kafka.structs import TopicPartition

from infra.messaging import kafka
from infra.messaging.envelope import TYPE_PREFIX, Headers
from infra.settings import Settings

_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_FORMS = {
    "ce_specversion": re.compile(rb"1\.0"),
    "ce_id": _ID,
    "ce_source": re.compile(rb"/[a-z]+"),
    "ce_type": re.compile(re.escape(TYPE_PREFIX).encode() + rb"[a-z]+\.[a-z]+\.v\d+"),
    "ce_subject": _ID,
    "ce_time": _TIME,
    "ce_effectiveat": _TIME,
    "ce_sequence": re.compile(rb"\d{10}"),
    "ce_partitionkey": _ID,
    "content-type": re.compile(rb"application/(cloudevents\+)?json"),
}


def lasting(key: bytes | None, headers: Headers) -> tuple[bytes | None, Headers]:
    """Key and headers as far as they have the form of ours: in a stranger's there may be anything."""
    return (
        key if key and _ID.fullmatch(key) else None,
        [(name, value) for name, value in headers if name in _FORMS and value and _FORMS[name].fullmatch(value)],
    )


def send_current(
    settings: Settings, producer: KafkaProducer, place: TopicPartition, keys: Collection[bytes]
) -> set[bytes]:
    """Writes the newest record of each key once more, be it a tombstone; gives the keys of which there is one.

    Raises KafkaError.
    """
    newest: Mapping[bytes, Any] = {
        record.key: record for record in kafka.records(settings, place) if record.key in keys
    }
    known, ours = set(newest), set[int]()
    while newest:
        futures = [
            producer.send(place.topic, record.value, key, headers=record.headers, partition=place.partition)
            for key, record in newest.items()
        ]
        producer.flush(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000)
        ours |= {future.get(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000).offset for future in futures}
        # Who was erased meanwhile must stay so: what others wrote since has the last word.
        newest = {
            record.key: record
            for record in kafka.records(settings, place, first=min(each.offset for each in newest.values()) + 1)
            if record.key in newest and record.offset > newest[record.key].offset and record.offset not in ours
        }
    return known
