"""Brings the events of a made-up city to the projection as partitions of a log would."""

from collections.abc import Iterable
from zlib import crc32

from infra.messaging.envelope import Event
from services.reporting.projections import Projection

PARTITIONS = 3


def partition_of(key: str) -> int:
    return crc32(key.encode()) % PARTITIONS


def tell(projection: Projection, batches: Iterable[list[Event]]) -> None:
    for batch in batches:
        for partition in range(PARTITIONS):
            events = [event for event in batch if partition_of(event.key) == partition]
            if events:
                projection.handle(partition, events)


def settle(projection: Projection) -> None:
    while projection.catch_up_with_tree():
        pass
