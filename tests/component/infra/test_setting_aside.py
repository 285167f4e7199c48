"""When an event is set aside, and that nothing in the way of it stands in anybody else's way."""

import time
from typing import Any, NamedTuple

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from infra.messaging import deadletters, kafka
from infra.messaging import tries as trying
from infra.messaging.deadletters import SHORT
from infra.messaging.envelope import Event, Unreadable
from infra.messaging.topics import ensure_topics, full_name
from infra.messaging.tries import TRIES
from tests.component.infra.test_messaging import NONSENSE, consumer, good, put_raw
from tests.component.infra.things import NOON, Threads
from tests.conftest import SettingsFor
from tests.support import eventually, running

LARGEST = 2**20
"""Bytes that a record may have, with what is around key, value and headers."""


class Record(NamedTuple):
    """A record as kafka-python reads it."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    topic: str
    partition: int = 0
    offset: int = 0


def test_what_kafka_python_reads_and_would_not_write_is_a_letter_too(settings_for: SettingsFor) -> None:
    """Headers without a value, as other clients send them, and neither key nor value: kept as empty and marked."""
    settings = settings_for("enrollment")
    ensure_topics(settings, ("readers",))
    topic = full_name(settings, "enrollment.events")
    producer = kafka.producer(settings)
    for record in (
        Record(b"k", b"no event", [("ce_type", None), ("a", b"b")], topic),
        Record(None, None, [], topic),
    ):
        deadletters.put(settings, producer, "readers", record, reason="unreadable", tries=1, at=NOON)
    producer.close()
    first, second = letters = list(deadletters.read_all(settings, "readers"))
    assert (first.key, first.value, first.headers) == (b"k", b"no event", [("ce_type", b""), ("a", b"b")])
    assert (second.key, second.value, second.headers) == (b"", None, [])
    assert [letter.null for letter in letters] == ["ce_type", "key"]
    assert deadletters.send_again(settings, letters) == []


def test_letters_are_found_however_late_the_brokers_first_answer_comes(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it may take seconds; nobody must be told meanwhile that there are none."""
    settings = settings_for("enrollment")
    assert list(deadletters.read_all(settings, "readers")) == [], "where there is no topic yet"
    ensure_topics(settings, ("readers",))
    producer = kafka.producer(settings)
    record = Record(b"k", b"no event", [], full_name(settings, "enrollment.events"))
    deadletters.put(settings, producer, "readers", record, reason="unreadable", tries=1, at=NOON)
    producer.close()
    poll, highwater, unanswered = KafkaConsumer.poll, KafkaConsumer.highwater, [1] * 6

    def late_poll(reader: KafkaConsumer, timeout_ms: int) -> Any:
        if unanswered:
            unanswered.pop()
            return {}
        return poll(reader, timeout_ms=timeout_ms)

    def late_highwater(reader: KafkaConsumer, place: TopicPartition) -> Any:
        return None if unanswered else highwater(reader, place)

    monkeypatch.setattr(KafkaConsumer, "poll", late_poll)
    monkeypatch.setattr(KafkaConsumer, "highwater", late_highwater)
    assert [letter.value for letter in deadletters.read_all(settings, "readers")] == [b"no event"]


def test_a_broker_that_gives_no_answer_is_not_one_without_letters(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads back what was written meanwhile, a tombstone say, must not take silence for nothing."""
    settings = settings_for("enrollment")
    ensure_topics(settings, ("readers",))
    monkeypatch.setattr(KafkaConsumer, "poll", lambda *_, **__: {})
    monkeypatch.setattr(KafkaConsumer, "highwater", lambda *_: None)
    monkeypatch.setattr(kafka, "SILENCE_SECONDS", 0.1)
    with pytest.raises(KafkaTimeoutError):
        list(deadletters.read_all(settings, "readers"))


def test_a_letter_that_would_be_too_large_is_kept_without_what_is_large(settings_for: SettingsFor) -> None:
    """Where it lies and what it is stay known; it does not hold up what comes behind it, and is not sent again."""
    settings = settings_for("enrollment")
    value, headers = good(1)
    around = sum(len(name) + len(raw) for name, raw in headers) + SHORT + 200
    large = value + b" " * (LARGEST - around)
    got: list[int] = []

    def handle(events: list[Event]) -> None:
        if events[0].seq == 1:
            raise Unreadable("not to be borne")
        got.extend(event.seq for event in events)

    put_raw(settings, (large, [*headers, ("long", b"x" * SHORT)]), good(2))
    with running(Threads(consumer(settings, handle))):
        eventually(lambda: 2 in got)
    (letter,) = letters = list(deadletters.read_all(settings, "readers"))
    assert (letter.whole, letter.value, letter.headers) == (False, None, headers)
    assert letter.reason == "not to be borne (too large to be kept whole)"
    assert deadletters.send_again(settings, letters) == letters


def test_whatever_keeps_a_letter_from_being_written_stops_its_partition_only(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kind of error ends the consumer: what lies behind it waits, others go on, and it is tried again."""
    settings = settings_for("enrollment")
    tries: list[int] = []
    got: list[int] = []

    def refuses(*_: Any, **__: Any) -> None:
        tries.append(1)
        raise TypeError("not with this client")

    monkeypatch.setattr(deadletters, "put", refuses)
    put_raw(settings, NONSENSE, good(1))
    put_raw(settings, good(2), key=b"another")
    with running(Threads(consumer(settings, lambda events: got.extend(event.seq for event in events)))):
        eventually(lambda: len(tries) > 2 and set(got) == {2})
        monkeypatch.undo()
        eventually(lambda: 1 in got)
    assert len(list(deadletters.read_all(settings, "readers"))) == 1


def test_a_failure_that_passes_is_tried_again(settings_for: SettingsFor) -> None:
    """No connection for three times, with ever longer pauses; then the event is handled, and is no dead letter."""
    settings = settings_for("enrollment")
    tries: list[float] = []

    def handle(events: list[Event]) -> None:
        tries.append(time.monotonic())
        if len(tries) < 4:
            raise ConnectionError("away")

    put_raw(settings, good(1))
    with running(Threads(consumer(settings, handle))):
        eventually(lambda: len(tries) >= 4)
    assert list(deadletters.read_all(settings, "readers")) == []
    assert [tries[n + 1] - tries[n] > 0.2 * 2**n for n in range(3)] == [True] * 3


def test_an_outage_uses_up_no_tries(settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for another reason after it still has all of its own tries."""
    monkeypatch.setattr(trying, "LONGEST_PAUSE", 0.01)
    settings = settings_for("enrollment")
    away, wrong = ConnectionError("away"), ValueError("wrong")
    troubles = [away] * TRIES + [wrong] * (TRIES - 1) + [away]
    got: list[int] = []

    def handle(events: list[Event]) -> None:
        if troubles:
            raise troubles.pop(0)
        got.extend(event.seq for event in events)

    put_raw(settings, good(1))
    with running(Threads(consumer(settings, handle))):
        eventually(lambda: 1 in got)
    assert list(deadletters.read_all(settings, "readers")) == []
