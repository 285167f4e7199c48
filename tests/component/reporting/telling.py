"""Brings the events of a made-up city to the projection as partitions of a log would."""

from collections.abc import Iterable
from zlib import crc32

import msgspec

from infra.messaging.envelope import Event
from services.reporting.projections import Projection

PARTITIONS = 3


def partition_of(key: str) -> int:
    return crc32(key.encode()) % PARTITIONS


def placed(batch: Iterable[Event]) -> list[Event]:
    """The events as they are read from their partitions."""
    return [msgspec.structs.replace(event, partition=partition_of(event.key)) for event in batch]


def tell(projection: Projection, batches: Iterable[list[Event]]) -> None:
    for batch in batches:
        for partition in range(PARTITIONS):
            events = [event for event in placed(batch) if event.partition == partition]
            if events:
                projection.handle(events)


def settle(projection: Projection) -> None:
    while projection.catch_up_with_tree():
        pass
