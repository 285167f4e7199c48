"""Kafka clients with our settings: for Apache Kafka, and for the embedded broker with its edges."""

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.structs import TopicPartition

from infra.messaging.batches import read_whatever_comes
from infra.settings import Settings

T = TypeVar("T")

DELIVERY_TIMEOUT_MS = 8_000
"""How long a record may take to be acknowledged; as a rule less than what is left of the relay's lease."""

SILENCE_SECONDS = 30.0
"""So long a broker may say nothing of a partition before it counts as not reached."""

REACH_MS = 10_000
"""How long readers and administrators wait for any broker: who asks how it stands may ask because it is down."""


def embedded(settings: Settings) -> bool:
    """Whether the broker is the embedded one, which lives in memory and knows no idempotent producers."""
    return settings.broker_profile == "embedded"


def producer(settings: Settings, **overrides: Any) -> KafkaProducer:
    """A producer that waits for all replicas. Not fork-safe: build it in the process that uses it."""
    idempotent = not embedded(settings)
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "client_id": f"bina-{settings.service}",
        "acks": "all",
        "enable_idempotence": idempotent,
        "max_in_flight_requests_per_connection": 5 if idempotent else 1,
        "linger_ms": 20,
        "batch_size": 131_072,
        "delivery_timeout_ms": DELIVERY_TIMEOUT_MS,
        "request_timeout_ms": DELIVERY_TIMEOUT_MS - 1_000,
        "max_block_ms": DELIVERY_TIMEOUT_MS,
        "allow_auto_create_topics": False,
        "reconnect_backoff_max_ms": 1_000,
        "metrics_enabled": False,
    }
    return _made(KafkaProducer, {**options, **overrides})


def consumer(settings: Settings, group: str | None) -> KafkaConsumer:
    """A consumer that starts at the beginning and commits only when told to. Not thread-safe.

    It gives a record for what kafka-python would raise at, too (`infra.messaging.batches`).
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "client_id": f"bina-{settings.service}",
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "partition_assignment_strategy": [RangePartitionAssignor],
        "fetch_max_wait_ms": 100,
        # How soon partitions that were not known when the group was formed are taken up.
        "metadata_max_age_ms": 10_000,
        "max_poll_records": 5_000,
        "bootstrap_timeout_ms": REACH_MS,
        "reconnect_backoff_max_ms": 1_000,
        "metrics_enabled": False,
    }
    if embedded(settings):
        # Joining a group takes half of the session timeout there.
        options |= {"session_timeout_ms": 2_000, "heartbeat_interval_ms": 500}
    else:
        options |= {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 2_000}
    made = _made(KafkaConsumer, options)
    read_whatever_comes(made)
    return made


def _made(make: Callable[..., T], options: dict[str, Any]) -> T:
    """A client of kafka-python that leaves nothing behind when no broker is reached.

    Its constructor starts a thread, then looks for a broker; when that fails nobody has a client to close.
    """
    opened: list[KafkaNetClient] = []

    def network(**configs: Any) -> KafkaNetClient:
        opened.append(KafkaNetClient(**configs))
        return opened[-1]

    try:
        return make(kafka_client=network, **options)
    except BaseException:
        for each in opened:
            each.close()
        # Sockets of which a connection was refused lie in circles, for which a process may look too rarely.
        gc.collect()
        raise


def end(producer: KafkaProducer) -> None:
    """Ends a producer, at once what it couldn't deliver.

    kafka-python's `close` raises while something is unfinished, and leaves the thread and the connections.
    """
    try:
        producer.close(timeout=2, null_logger=True)
    except KafkaError:
        producer._sender.force_close()
        producer._closed = True


def poll(consumer: KafkaConsumer, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
    """What has come within the time, by partition, for a member of a group.

    A member that leads its group joins a second time when it has learned of partitions meanwhile. kafka-python
    3.0.12 forgets that this join is under way when a poll ends before it does, and never looks at the answer: the
    member would read nothing any more, and send no heartbeats. So it is reminded.
    """
    records: dict[TopicPartition, list[Any]] = consumer.poll(timeout_ms=timeout_ms)
    coordinator = consumer._coordinator
    if coordinator.rejoining:
        coordinator.request_rejoin()
    return records


def records(settings: Settings, *places: TopicPartition, first: int = 0) -> Iterator[Any]:
    """What partitions hold from an offset on, oldest first in each, up to the ends that the broker tells at first.

    Nothing of a partition that isn't there. Raises KafkaTimeoutError when the broker says nothing for too long: it
    is slow or away then, which says nothing of what there is.
    """
    reader = consumer(settings, None)
    try:
        left = [each for each in places if each.partition in reader.partitions_for_topic(each.topic)]
        reader.assign(left)
        for place in left:
            reader.seek(place, first)
        ends: dict[TopicPartition, int] = {}
        heard = time.monotonic()
        while left:
            got = reader.poll(timeout_ms=400)
            for batch in got.values():
                yield from batch
            # Told with what is fetched: an embedded broker that is asked for its ends tells wrong ones.
            told = {each: end for each in left if each not in ends and (end := reader.highwater(each)) is not None}
            ends |= told
            left = [each for each in left if each not in ends or not _has_read(reader, each, ends[each])]
            if got or told:
                heard = time.monotonic()
            elif left and time.monotonic() - heard > SILENCE_SECONDS:
                raise KafkaTimeoutError(f"no answer about {left[0].topic}/{left[0].partition}")
    finally:
        reader.close()


def _has_read(reader: KafkaConsumer, place: TopicPartition, end: int) -> bool:
    position = reader.position(place, timeout_ms=1_000)
    return position is not None and position >= end


def leave(settings: Settings, consumer: KafkaConsumer) -> None:
    """Ends a member of a group; others get its partitions.

    The embedded broker goes on naming a leader that said goodbye while its group was being formed, and nobody
    shares out partitions any more. So nobody says goodbye there: who is silent for the session timeout is left
    out.
    """
    if embedded(settings):
        consumer._coordinator.reset_generation()
    consumer.close(autocommit=False, timeout_ms=2_000)


def group_name(settings: Settings, group: str, cluster: str) -> str:
    """The group as the broker knows it.

    The embedded broker is another, empty one after each start, and doesn't say that a position is out of range: a
    consumer that goes on reading for a moment would commit what it never read there. So what is committed for one
    cluster is not found in the next.
    """
    name = settings.topic_prefix + group
    return f"{name}.{cluster}" if embedded(settings) else name


def admin(settings: Settings) -> KafkaAdminClient:
    """A client for topics and the cluster."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "client_id": f"bina-{settings.service}-admin",
        "request_timeout_ms": 10_000,
        "bootstrap_timeout_ms": REACH_MS,
        "reconnect_backoff_max_ms": 1_000,
    }
    return _made(KafkaAdminClient, options)


def cluster_id(settings: Settings) -> str:
    """The identity of the cluster: another one than before means another, empty log. Raises KafkaError."""
    client = admin(settings)
    try:
        return str(client.describe_cluster()["cluster_id"])
    finally:
        client.close()
