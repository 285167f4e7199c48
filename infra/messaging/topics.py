"""The topics: all with the same number of partitions, so that one worker has all that concerns one key."""

from typing import Any

from kafka.errors import TopicAlreadyExistsError

from infra.messaging.kafka import admin
from infra.settings import Settings

KEPT = ("enrollment.events", "sessions.events", "notifications.events", "reporting.kpis")
"""Kept for ever, without personal data beyond ids."""

COMPACTED = ("enrollment.people",)
"""Names and addresses by employee; a tombstone erases."""

WAIT_MS = 20_000

FOR_EVER = {"retention.ms": "-1"}


def ensure_topics(settings: Settings, groups: tuple[str, ...] = ()) -> None:
    """Makes the topics that are missing, and the dead-letter topic of each consumer group. Safe to repeat."""
    many = settings.partitions
    wanted = {
        **{name: _topic(settings, FOR_EVER, many) for name in KEPT},
        **{name: _topic(settings, {"cleanup.policy": "compact"}, many) for name in COMPACTED},
        **{dead_letters_of(group): _topic(settings, FOR_EVER, 1) for group in groups},
    }
    client = admin(settings)
    try:
        existing = set(client.list_topics())
        for name, options in wanted.items():
            if full_name(settings, name) in existing:
                continue
            try:
                client.create_topics({full_name(settings, name): options})
            except TopicAlreadyExistsError:
                continue
        # A consumer that joins before the partitions are known gets none, and looks again much later.
        client.wait_for_topics([full_name(settings, name) for name in wanted], timeout_ms=WAIT_MS)
    finally:
        client.close()


def full_name(settings: Settings, topic: str) -> str:
    """The topic's name on the broker; a prefix keeps several systems on one broker apart."""
    return settings.topic_prefix + topic


def dead_letters_of(group: str) -> str:
    """The topic for what this consumer group can't handle."""
    return f"{group}.dead-letters"


def _topic(settings: Settings, configs: dict[str, str], partitions: int) -> dict[str, Any]:
    return {"num_partitions": partitions, "replication_factor": settings.replication, "configs": configs}
