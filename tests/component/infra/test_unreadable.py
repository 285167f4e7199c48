"""What kafka-python refuses to read: it is set aside like anything else that nobody can handle."""

from typing import Any

import pytest
from kafka import codec

from infra.messaging import deadletters
from infra.messaging.envelope import Headers
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings
from tests.component.infra.test_messaging import consumer, good
from tests.component.infra.things import Threads, patient_producer
from tests.conftest import SettingsFor
from tests.support import eventually, running


class NotUtf8(str):
    """A header's name as another client may write it."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"na\xefve"


def test_a_header_whose_name_is_not_utf8_goes_to_the_dead_letters(settings_for: SettingsFor) -> None:
    """Its key and value are kept, and what was before and behind it in the same batch is handled, once."""
    settings = settings_for("enrollment")
    value, headers = good(2)
    _send_as_one(settings, good(1), (value, [*headers, (NotUtf8("?"), b"x")]), good(3))
    got: list[int] = []
    with running(Threads(consumer(settings, lambda events: got.extend(event.seq for event in events)))):
        eventually(lambda: got == [1, 3])
    (letter,) = deadletters.read_all(settings, "readers")
    assert (letter.reason, letter.offset) == ("the name of a header is not UTF-8", 1)
    assert (letter.key, letter.value, letter.whole) == (b"k", value, True)
    assert letter.headers == [*headers, ("na\ufffdve", b"x")]


def test_a_batch_that_cannot_be_unpacked_is_told_of_and_passed(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events stay in the log, whose place the letter names; those behind it are handled."""
    settings = settings_for("enrollment")
    _send_as_one(settings, good(1), good(2), compression_type="gzip")
    _send_as_one(settings, good(3))
    got: list[int] = []
    monkeypatch.setattr(codec, "has_gzip", lambda: False)
    with running(Threads(consumer(settings, lambda events: got.extend(event.seq for event in events)))):
        eventually(lambda: got == [3])
    (letter,) = letters = list(deadletters.read_all(settings, "readers"))
    assert letter.reason == "the batch of offsets 0 to 1 can't be unpacked: UnsupportedCodecError"
    assert (letter.offset, letter.whole, letter.value) == (1, False, None)
    assert deadletters.send_again(settings, letters) == letters


def _send_as_one(settings: Settings, *records: tuple[bytes, Headers], **options: Any) -> None:
    """Values with their headers, in one batch, which goes out when the producer is closed. options: its own."""
    ensure_topics(settings)
    producer = patient_producer(settings, linger_ms=30_000, **options)
    for value, headers in records:
        producer.send(full_name(settings, "enrollment.events"), value=value, key=b"k", headers=headers)
    producer.close()
