"""The topics: all with the same number of partitions, so that one worker has all that concerns one key."""

from collections.abc import Sequence
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import NoError, TopicAlreadyExistsError, for_code
from kafka.structs import TopicPartition

from infra.messaging.kafka import admin
from infra.settings import Settings

KEPT = ("enrollment.events", "sessions.events", "notifications.events", "reporting.kpis")
"""Kept for ever, without personal data beyond ids."""

COMPACTED = ("enrollment.people",)
"""Names and addresses by employee; a tombstone erases."""

WAIT_MS = 20_000

FOR_EVER = {"retention.ms": "-1"}


def ensure_topics(
    settings: Settings, groups: tuple[str, ...] = (), needed: Sequence[str] = (*KEPT, *COMPACTED)
) -> None:
    """Makes the topics that are missing, and the dead-letter topic of each consumer group. Safe to repeat.

    needed: those that are to be ready, beside those of dead letters; others may be without a leader for now.
    Raises KafkaError.
    """
    many = settings.partitions
    plain = {
        **{name: _topic(settings, FOR_EVER, many) for name in KEPT},
        **{name: _topic(settings, {"cleanup.policy": "compact"}, many) for name in COMPACTED},
        **{dead_letters_of(group): _topic(settings, FOR_EVER, 1) for group in groups},
    }
    wanted = {full_name(settings, name): options for name, options in plain.items()}
    client = admin(settings)
    try:
        existing = set(client.list_topics())
        _create(client, {name: options for name, options in wanted.items() if name not in existing})
        # A consumer that joins before the partitions are known gets none, and looks again much later.
        ready = (*needed, *map(dead_letters_of, groups))
        client.wait_for_topics([full_name(settings, name) for name in ready], timeout_ms=WAIT_MS)
    finally:
        client.close()


def _create(client: KafkaAdminClient, topics: dict[str, dict[str, Any]]) -> None:
    """Makes them all with one request: each request waits until the cluster has written it down.

    Another process may be faster with some of them. Raises KafkaError.
    """
    if not topics:
        return
    for answer in client.create_topics(topics, raise_errors=False)["topics"]:
        error = for_code(answer["error_code"])
        if error not in (NoError, TopicAlreadyExistsError):
            raise error(answer["name"])


def full_name(settings: Settings, topic: str) -> str:
    """The topic's name on the broker; a prefix keeps several systems on one broker apart."""
    return settings.topic_prefix + topic


def partitions_of(settings: Settings, *topics: str) -> list[TopicPartition]:
    """All partitions of these topics, as the broker knows them."""
    names = [full_name(settings, topic) for topic in topics]
    return [TopicPartition(name, number) for name in names for number in range(settings.partitions)]


def is_compacted(settings: Settings, name: str) -> bool:
    """Whether the topic of this full name holds what may have to be erased."""
    return name.removeprefix(settings.topic_prefix) in COMPACTED


def dead_letters_of(group: str) -> str:
    """The topic for what this consumer group can't handle."""
    return f"{group}.dead-letters"


def _topic(settings: Settings, configs: dict[str, str], partitions: int) -> dict[str, Any]:
    return {"num_partitions": partitions, "replication_factor": settings.replication, "configs": configs}
