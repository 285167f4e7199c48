"""Dead letters: messages that a consumer group can't handle, kept with the reason, to be sent again.

They are kept for ever and whole, but for those of compacted topics: names and addresses can be erased only there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from kafka.structs import TopicPartition
from prometheus_client import Gauge

from infra.clock import to_wire
from infra.messaging import kafka
from infra.messaging.compacted import lasting, send_current
from infra.messaging.envelope import Headers, Missing
from infra.messaging.topics import dead_letters_of, full_name, is_compacted
from infra.settings import Settings

PREFIX = "dead-letter-"
NOT_WHOLE = "not-whole"
SHORT, FEW = 256, 32
"""Bytes of a header, and headers, that even a letter keeps that is not whole."""
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
KEPT = Gauge("bina_dead_letters_kept", "Messages that lie in the dead letters of the group", ["group"])


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the dead-letter topic. `number` is its offset there; `reason` holds no personal data.

    null: names of headers, and `key`, that were null and are empty here. whole: not so where it was too large with
    what is told of it (it is kept without key, value and long headers then) or stands for a batch that can't be
    unpacked. erasable: it is of a compacted topic, so its value is not kept, nor a key that is no id.
    """

    number: int
    reason: str
    topic: str
    partition: int
    offset: int
    tries: int
    at: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    null: str
    whole: bool
    erasable: bool

    @property
    def place(self) -> TopicPartition:
        """Where it came from."""
        return TopicPartition(self.topic, self.partition)

    @property
    def type(self) -> str:
        """The type that the event says it has, if it is readable so far."""
        return next((value.decode(errors="replace") for name, value in self.headers if name == "ce_type"), "?")


def put(
    settings: Settings,
    producer: KafkaProducer,
    group: str,
    record: Any,
    *,
    reason: str,
    tries: int,
    at: datetime,
) -> None:
    """Writes the record, as it came, to the group's dead-letter topic and waits until it is kept there.

    Raises KafkaError when that fails; the record must then not be passed over. Of a record of a compacted topic
    only what names nobody is written. Nulls that kafka-python reads and would not write are written as empty; of
    what would be too large only the short headers are written, of what could not be unpacked nothing.
    """
    extra = {
        "reason": reason,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "tries": str(tries),
        "at": to_wire(at),
    }
    key, value, headers = record.key, record.value, record.headers
    if isinstance(value, Missing):
        value, extra = None, extra | {NOT_WHOLE: "1"}
    if is_compacted(settings, record.topic):
        value, (key, headers) = None, lasting(key, headers)
    topic = full_name(settings, dead_letters_of(group))
    key, headers = _without_nulls(key, value, headers)
    try:
        kept = _write(producer, topic, key, value, [*headers, *_told(extra)])
    except TOO_LARGE:
        # With what is told of it, a message as large as may be is too large. It still lies where it came from.
        short = [each for each in headers if len(each[0]) + len(each[1]) <= SHORT][:FEW]
        extra |= {"reason": f"{reason} (too large to be kept whole)", NOT_WHOLE: "1"}
        kept = _write(producer, topic, b"", None, [*short, *_told(extra)])
    KEPT.labels(group).set(kept)


def _told(extra: Mapping[str, str]) -> Headers:
    return [(PREFIX + name, value.encode()) for name, value in extra.items()]


def _without_nulls(
    key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> tuple[bytes | None, Headers]:
    """The key and the headers as they can be written, with a mark that says what was null."""
    nulls = [name for name, raw in headers if raw is None]
    if key is None and value is None:
        key, nulls = b"", ["key", *nulls]
    mark = _told({"null": ", ".join(nulls)}) if nulls else []
    return key, [*((name, raw or b"") for name, raw in headers), *mark]


def _write(producer: KafkaProducer, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Waits until it is kept; gives how many are there then."""
    # The one partition that is read: a broker that makes topics by itself may give it more.
    future = producer.send(topic, value=value, key=key, headers=headers, partition=0)
    producer.flush(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000)
    return int(future.get(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000).offset) + 1


def read_all(settings: Settings, group: str, first: int = 0) -> Iterator[DeadLetter]:
    """The dead letters of a group, oldest first, up to the end of the topic as it is now."""
    place = TopicPartition(full_name(settings, dead_letters_of(group)), 0)
    for record in kafka.records(settings, place, first=first):
        yield _letter(settings, record)


def send_again(settings: Settings, letters: list[DeadLetter]) -> list[DeadLetter]:
    """Sends letters to the topic from which they came, as they came; consumers bear repetition.

    For one of a compacted topic the newest record of its key is sent. Gives those that could not be sent: there is
    no such record, or the letter is not whole. Raises KafkaError.
    """
    as_they_came = [letter for letter in letters if letter.whole and not letter.erasable]
    producer = kafka.producer(settings)
    try:
        futures = [
            producer.send(
                letter.topic,
                value=letter.value,
                key=letter.key,
                headers=letter.headers,
                partition=letter.partition,
            )
            for letter in as_they_came
        ]
        producer.flush(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000)
        for future in futures:
            future.get(timeout=kafka.DELIVERY_TIMEOUT_MS / 1000)
        partly = [letter for letter in letters if not letter.whole and not letter.erasable]
        return partly + _send_current(settings, producer, [letter for letter in letters if letter.erasable])
    finally:
        kafka.end(producer)


def _send_current(settings: Settings, producer: KafkaProducer, letters: list[DeadLetter]) -> list[DeadLetter]:
    keys: dict[TopicPartition, set[bytes]] = defaultdict(set)
    for letter in letters:
        if letter.key:
            keys[letter.place].add(letter.key)
    sent = {place: send_current(settings, producer, place, wanted) for place, wanted in keys.items()}
    return [letter for letter in letters if letter.key not in sent.get(letter.place, ())]


def _letter(settings: Settings, record: Any) -> DeadLetter:
    told = {name[len(PREFIX) :]: value.decode() for name, value in record.headers if name.startswith(PREFIX)}
    topic = told.get("topic", "")
    return DeadLetter(
        number=record.offset,
        reason=told.get("reason", "unknown"),
        topic=topic,
        partition=int(told.get("partition", 0)),
        offset=int(told.get("offset", 0)),
        tries=int(told.get("tries", 0)),
        at=told.get("at", ""),
        key=record.key,
        value=record.value,
        headers=[(name, value) for name, value in record.headers if not name.startswith(PREFIX)],
        null=told.get("null", ""),
        whole=NOT_WHOLE not in told,
        erasable=is_compacted(settings, topic),
    )
