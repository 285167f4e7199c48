"""The bare round trip: one record sent without lingering, until a consumer of the same process has it."""

import os
import random
import sys
import time
import uuid

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from bench.city import NEWS_FROM, people
from bench.lane import tell, wait_for_go
from bench.lots import confirmed
from infra.messaging import kafka
from infra.messaging.envelope import to_headers
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings

PAUSE_SECONDS = 0.03
LONGEST_SECONDS = 30.0


def trip(producer: KafkaProducer, consumer: KafkaConsumer, topic: str) -> float:
    """Seconds from before the send until the record is there."""
    event, key = confirmed(list(people()), random.Random(uuid.uuid4().int), NEWS_FROM)
    headers = to_headers(event, source="sessions", subject=str(event["subject"]), key=key)
    began = time.perf_counter()
    producer.send(topic, value=event["body"], key=key, headers=headers)
    while time.perf_counter() - began < LONGEST_SECONDS:
        for records in consumer.poll(timeout_ms=200).values():
            if any(record.value == event["body"] for record in records):
                return time.perf_counter() - began
    raise TimeoutError("a record did not come back")


def main() -> int:
    """argv: how many trips. Tells the seconds of each."""
    settings = Settings.from_env("notifications", os.environ)
    ensure_topics(settings)
    topic = full_name(settings, "notifications.events")
    producer = kafka.producer(settings, linger_ms=0)
    consumer = kafka.consumer(settings, None)
    places = [TopicPartition(topic, partition) for partition in range(settings.partitions)]
    consumer.assign(places)
    trip(producer, consumer, topic)
    tell("ready")
    wait_for_go()
    seconds = []
    for _ in range(int(sys.argv[1])):
        seconds.append(trip(producer, consumer, topic))
        time.sleep(PAUSE_SECONDS)
    tell(msgspec.to_builtins(seconds))
    producer.close()
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
