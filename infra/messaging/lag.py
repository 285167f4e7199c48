"""How far a consumer group is behind, asked of the broker from outside the group."""

import time

import msgspec
from kafka.structs import TopicPartition

from infra.messaging import kafka
from infra.messaging.topics import COMPACTED, KEPT, full_name, partitions_of
from infra.settings import Settings

ASK_SECONDS = 15.0


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One partition that a group reads. committed: events whose effect is stored; end: where the next one goes."""

    topic: str
    partition: int
    committed: int
    end: int

    @property
    def behind(self) -> int:
        """Events that are not handled yet. Negative where the log is younger than the group's position."""
        return self.end - self.committed


def places_of(settings: Settings, group: str) -> list[Place]:
    """Every partition in which the group has a position, in order. Raises KafkaError.

    Empty for a group that has not committed anything yet.
    """
    committed = _committed(settings, kafka.group_name(settings, group, kafka.cluster_id(settings)))
    ends = _ends(settings, committed)
    return [
        Place(
            topic=place.topic.removeprefix(settings.topic_prefix),
            partition=place.partition,
            committed=committed[place],
            end=ends.get(place, committed[place]),
        )
        for place in sorted(committed)
    ]


def end_of(settings: Settings, topic: str, partition: int = 0) -> int:
    """How many messages were ever put into one partition. Raises KafkaError."""
    place = TopicPartition(full_name(settings, topic), partition)
    return _ends(settings, {place: 0}).get(place, 0)


def _committed(settings: Settings, group: str) -> dict[TopicPartition, int]:
    wanted = partitions_of(settings, *KEPT, *COMPACTED)
    client = kafka.admin(settings)
    try:
        found = client.list_group_offsets({group: wanted})[group]
    finally:
        client.close()
    return {place: known.offset for place, known in found.items() if known.offset >= 0}


def _ends(settings: Settings, places: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Learned by reading at each position: the embedded broker tells wrong ends when it is asked for them."""
    if not places:
        return {}
    consumer = kafka.consumer(settings, None)
    try:
        consumer.assign(list(places))
        for place, position in places.items():
            consumer.seek(place, position)
        give_up = time.monotonic() + ASK_SECONDS
        while time.monotonic() < give_up and any(consumer.highwater(place) is None for place in places):
            consumer.poll(timeout_ms=100, max_records=1)
        return {place: end for place in places if (end := consumer.highwater(place)) is not None}
    finally:
        consumer.close()
