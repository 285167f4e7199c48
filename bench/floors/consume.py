"""The bare consumer: polls, parses each record, writes each batch with one `bulk_write`, commits.

It keeps no person, counts nothing, and would write a repeated event twice.
"""

import json
import os
import sys
import threading

import msgspec
from pymongo import InsertOne

from bench.gate import Gate
from infra.messaging import kafka
from infra.messaging.topics import full_name
from infra.settings import Settings
from infra.storage.mongo import Document, connect

TOPICS = ("enrollment.events", "sessions.events")


def consume(settings: Settings, name: str, stop: threading.Event) -> None:
    """Works until `stop` is set. name: of the group and of the collection."""
    collection = connect(settings)[name]
    consumer = kafka.consumer(settings, name)
    consumer.subscribe([full_name(settings, topic) for topic in TOPICS])
    while not stop.is_set():
        batches = kafka.poll(consumer, timeout_ms=200)
        for records in batches.values():
            collection.bulk_write([InsertOne(parsed(record.value)) for record in records], ordered=False)
        if batches:
            consumer.commit()
    consumer.close(autocommit=False)


def parsed(value: bytes) -> Document:
    """The event's data as a document."""
    document: Document = msgspec.json.decode(value)
    document["_id"] = document.pop("id")
    return document


def main() -> int:
    """argv: the name of group and collection; which partitions this process gets;
    how many records there are in each partition.
    """
    settings = Settings.from_env("reporting", os.environ)
    gate, stop = Gate(json.loads(sys.argv[2]), json.loads(sys.argv[3])), threading.Event()
    gate.install()
    thread = threading.Thread(target=consume, args=(settings, sys.argv[1], stop))
    thread.start()
    gate.pass_through()
    stop.set()
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
