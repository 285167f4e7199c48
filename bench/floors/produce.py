"""The bare producer: kafka-python with our settings sends ready records and waits for every acknowledgement."""

import os
import sys
import time

from bench.floors.records import records_of
from bench.lane import Stint, tell, wait_for_go
from infra.messaging import kafka
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings


def main() -> int:
    """Reads the records of the environment's space, then sends them on the word."""
    settings = Settings.from_env("sessions", os.environ)
    ensure_topics(settings)
    records = records_of(settings)
    topic = full_name(settings, "sessions.events")
    producer = kafka.producer(settings)
    producer.send(topic, value=records[0].value, key=records[0].key, headers=records[0].headers).get(timeout=30)
    tell("ready")
    wait_for_go()
    began = time.monotonic()
    futures = [producer.send(topic, value=each.value, key=each.key, headers=each.headers) for each in records]
    producer.flush()
    for future in futures:
        future.get(timeout=30)
    tell(Stint(len(records), began, time.monotonic()))
    producer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
