"""Names that can't be read: their dead letters outlive an erasure, so they hold none, and can be sent still."""

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from kafka import KafkaProducer
from kafka.structs import TopicPartition

from infra.cli import parser
from infra.messaging import deadletters, kafka
from infra.messaging.compacted import send_current
from infra.messaging.envelope import STRUCTURED, Headers, to_headers
from infra.messaging.topics import dead_letters_of, ensure_topics, full_name
from infra.settings import Settings
from infra.telemetry.logs import JsonFormatter
from services.sessions import app
from tests.component.infra.things import patient_producer
from tests.component.sessions.world import PRESENT
from tests.conftest import SettingsFor
from tests.support import eventually, running

GUIDE = str(uuid4())
NOBODY_SAYS = "Warji", "warji@example.go.id", "198609262010012003"
UNREADABLE = msgspec.json.encode({"id": GUIDE, "name": ["Warji"], "email": "warji@example.go.id"})

Raw = tuple[bytes, bytes | None, Headers]


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    """With one partition, so that all records lie behind each other."""
    return settings_for("sessions", partitions=1)


def person(seq: int, value: bytes | None, key: str = GUIDE) -> Raw:
    event = {"id": str(uuid4()), "type": "person.changed", "seq": seq, "time": PRESENT, "effective_at": PRESENT}
    return key.encode(), value, to_headers(event, source="enrollment", subject=key, key=key.encode())


def place(settings: Settings) -> TopicPartition:
    return TopicPartition(full_name(settings, "enrollment.people"), 0)


def publish(settings: Settings, *raw: Raw) -> None:
    ensure_topics(settings, (app.SERVICE,))
    producer = patient_producer(settings)
    for key, value, headers in raw:
        producer.send(place(settings).topic, value=value, key=key, headers=headers)
    producer.flush()
    producer.close()


def written(settings: Settings) -> list[Any]:
    """What the topic of people holds."""
    return list(kafka.records(settings, place(settings)))


def letters_of(settings: Settings, count: int) -> None:
    """Has the worker read what is there, until that many letters lie there."""
    with running(app.worker(settings)):
        eventually(lambda: len(list(deadletters.read_all(settings, app.SERVICE))) == count)


def command(settings: Settings, *arguments: str) -> int:
    options = parser("sessions").parse_args(["dead-letters", *arguments])
    code: int = options.run(app, settings, options)
    return code


def set_aside(settings: Settings) -> None:
    """Three records that can't be read, which name somebody in every place that there is."""
    envelope = {"specversion": "1.0", "subject": "Warji", "data": {"name": "Warji"}}
    structured: Headers = [
        ("content-type", STRUCTURED.encode()),
        ("ce_subject", b"Warji"),
        ("Warji", b"198609262010012003"),
    ]
    publish(
        settings,
        person(1, UNREADABLE),
        (b"Warji", msgspec.json.encode(envelope), structured),
        (b"\xff198609262010012003", UNREADABLE, person(1, None, "warji@example.go.id")[2]),
    )
    letters_of(settings, 3)


def test_nothing_that_is_kept_for_ever_names_anybody(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Not the letters (value, key, headers, reason), and not the log; what has the form of ours stays."""
    with caplog.at_level(logging.INFO, "infra"):
        set_aside(settings)
    kept = TopicPartition(full_name(settings, dead_letters_of(app.SERVICE)), 0)
    whole = [repr((each.key, each.value, each.headers)) for each in kafka.records(settings, kept)]
    logged = [JsonFormatter("sessions").format(record) for record in caplog.records]
    assert len(whole) == 3
    assert any("an event went to the dead letters" in line for line in logged)
    assert not [text for text in (*whole, *logged) for secret in NOBODY_SAYS if secret in text]
    ours, structured, stranger = deadletters.read_all(settings, app.SERVICE)
    assert (ours.key, ours.headers, ours.offset) == (GUIDE.encode(), written(settings)[0].headers, 0)
    assert ours.reason == "data does not fit the reader at $.name"
    assert (structured.key, structured.headers) == (b"", [("content-type", STRUCTURED.encode())])
    assert (stranger.key, stranger.type, "ce_subject" in dict(stranger.headers)) == (b"", ours.type, False)


def test_operators_are_told_and_send_what_stands_there_now(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """`show` says why there is no body; `send` sends the newest record of the key, or says that there is none."""
    set_aside(settings)
    newest = msgspec.json.encode({"id": GUIDE, "name": "Warji", "email": None})
    publish(settings, person(2, newest), person(1, newest, str(uuid4())))
    assert command(settings, "show", "0", "--body") == 0
    assert f"key: {GUIDE}\n" in (shown := capsys.readouterr().out)
    assert "body: not kept" in shown
    assert "Warji" not in shown
    assert command(settings, "show", "1", "--body") == 0
    assert "key: (not kept: it was no id)" in capsys.readouterr().out
    before = len(written(settings))
    assert command(settings, "send", "--all") == 1
    told = capsys.readouterr()
    assert told.out == "1 sent again\n"
    assert [line.split(" ")[0] for line in told.err.splitlines()] == ["1", "2"]
    assert "has no record of key (not kept: it was no id)" in told.err
    (again,) = written(settings)[before:]
    assert (again.key, again.value) == (GUIDE.encode(), newest)
    assert ("ce_sequence", b"0000000002") in again.headers


def test_who_is_erased_stays_erased(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A letter of somebody who was erased since brings the erasure, never the name."""
    publish(settings, person(1, UNREADABLE))
    letters_of(settings, 1)
    publish(settings, person(2, None))
    assert command(settings, "send", "0") == 0
    assert capsys.readouterr().out == "1 sent again\n"
    assert [each.value for each in written(settings)] == [UNREADABLE, None, None]


def test_of_whom_the_topic_holds_nothing_nothing_is_sent(settings: Settings) -> None:
    """As when the tombstone, too, is gone: the letter is given back."""
    publish(settings, person(1, UNREADABLE))
    letters_of(settings, 1)
    (letter,) = deadletters.read_all(settings, app.SERVICE)
    gone = msgspec.structs.replace(letter, key=str(uuid4()).encode())
    assert deadletters.send_again(settings, [gone]) == [gone]
    assert len(written(settings)) == 1


class Overtaken:
    """A producer before whose first record somebody is erased."""

    def __init__(self, settings: Settings, first: Sequence[Raw]) -> None:
        self._settings = settings
        self._first = first
        self._producer: KafkaProducer = kafka.producer(settings)

    def send(self, *arguments: Any, **options: Any) -> Any:
        """Sends it, behind what comes between."""
        publish(self._settings, *self._first)
        self._first = ()
        return self._producer.send(*arguments, **options)

    def flush(self, timeout: float) -> None:
        """As the producer does."""
        self._producer.flush(timeout=timeout)

    def close(self) -> None:
        """Ends it."""
        self._producer.close(timeout=2)


def test_an_erasure_that_comes_between_has_the_last_word(settings: Settings) -> None:
    """The name was read before the tombstone and written after it: the tombstone is written once more."""
    publish(settings, person(1, UNREADABLE))
    producer: Any = Overtaken(settings, [person(2, None)])
    with closing(producer):
        assert send_current(settings, producer, place(settings), {GUIDE.encode()}) == {GUIDE.encode()}
    assert [each.value for each in written(settings)] == [UNREADABLE, None, UNREADABLE, None]
