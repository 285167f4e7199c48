"""Events survive the way through Kafka in both modes; what is no event is refused without quoting it."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messaging.envelope import NAMESPACE, Unreadable, decode, derived_id, to_headers
from infra.messaging.subscription import dispatch, on

AT = datetime(2016, 5, 16, 1, 0, tzinfo=UTC)
RECORD = {"id": "e-1", "type": "pairing.activated", "seq": 7, "time": AT, "effective_at": AT - timedelta(days=3)}


def binary(**changes: str | None) -> list[tuple[str, bytes | None]]:
    """The headers of an event, some of them changed or left out."""
    headers = dict(to_headers(RECORD, source="enrollment", subject="p-1", key=b"learner"))
    changed = {**{k: v.decode() for k, v in headers.items()}, **changes}
    return [(name, value.encode()) for name, value in changed.items() if value is not None]


def structured(**changes: Any) -> bytes:
    """The same event as one JSON object."""
    plain = {name[3:]: value.decode() for name, value in binary() if value and name.startswith("ce_")}
    return json.dumps({**plain, "data": {"state": "active"}, **changes}).encode()


STRUCTURED: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def test_binary_mode_round_trip() -> None:
    """Everything that was written is read again."""
    event = decode(binary(), b"learner", b'{"state":"active"}', topic="enrollment.events")
    assert (event.id, event.source, event.type, event.version) == ("e-1", "enrollment", "pairing.activated", 1)
    assert (event.subject, event.seq, event.key, event.aggregate) == ("p-1", 7, "learner", "pairing")
    assert (event.time, event.effective_at) == (AT, AT - timedelta(days=3))
    assert event.data == {"state": "active"}


def test_structured_mode_gives_the_same_event() -> None:
    """Both modes of the Kafka binding are read alike."""
    assert decode(STRUCTURED, b"learner", structured()) == decode(binary(), b"learner", b'{"state":"active"}')


def test_structured_mode_with_binary_data() -> None:
    """`data_base64` is read too."""
    body = base64.b64encode(b'{"state":"active"}').decode()
    plain = json.loads(structured())
    del plain["data"]
    event = decode(STRUCTURED, None, json.dumps({**plain, "data_base64": body}).encode())
    assert event.data == {"state": "active"}


def test_a_tombstone_has_no_data() -> None:
    """An empty value erases; it is no error."""
    assert decode(binary(), b"learner", None).body is None


def test_times_of_any_offset_are_read_as_utc() -> None:
    """Other producers may write local time with its offset."""
    local = AT.astimezone(timezone(timedelta(hours=7))).isoformat()
    assert decode(binary(ce_time=local), b"k", b"{}").time == AT


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (binary(ce_specversion="0.3"), "specversion is not 1.0"),
        (binary(ce_id=None), "id is missing"),
        (binary(ce_sequence="seven"), "type, time, effectiveat or sequence is malformed"),
        (binary(ce_time="yesterday"), "type, time, effectiveat or sequence is malformed"),
        (binary(ce_type="pairing"), "type, time, effectiveat or sequence is malformed"),
        ([], "specversion is not 1.0"),
        ([("ce_id", b"\xff")], "headers or key are not UTF-8"),
    ],
)
def test_what_is_no_event_is_unreadable(headers: list[tuple[str, bytes | None]], reason: str) -> None:
    """The reason names what is wrong and quotes nothing."""
    with pytest.raises(Unreadable, match=reason):
        decode(headers, b"k", b"{}")


@given(st.binary(), st.lists(st.tuples(st.text(max_size=12), st.none() | st.binary(max_size=40)), max_size=6))
def test_rubbish_is_unreadable_and_nothing_else(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    """Whatever comes, decoding either gives an event or says Unreadable."""
    for mode in (headers, [*headers, *STRUCTURED]):
        with pytest.raises(Unreadable):
            decode(mode, value, value)


def test_derived_ids_follow_from_their_parts() -> None:
    """The same parts give the same id; parts don't run into one another."""
    assert derived_id("a", "b") == derived_id("a", "b")
    assert derived_id("ab", "c") != derived_id("a", "bc")


class Small(msgspec.Struct):
    """A reader that wants one field."""

    state: str


def test_events_go_to_their_readers_in_runs() -> None:
    """Events of one aggregate come together; unknown ones are passed over without a break; order stays."""
    seen: list[list[str]] = []
    handle = dispatch([on("pairing", Small, lambda batch: seen.append([data.state for _, data in batch]))])
    first = decode(binary(), b"k", b'{"state":"a","unknown":1}')
    other = decode(binary(ce_type="id.go.tangerangkota.bina.thing.made.v1"), b"k", b"{}")
    newer = decode(binary(ce_type="id.go.tangerangkota.bina.pairing.activated.v2"), b"k", b"{}")
    second = decode(binary(), b"k", b'{"state":"b"}')
    handle([first, second, other, newer, second])
    assert seen == [["a", "b", "b"]]


def test_data_that_does_not_fit_is_unreadable_without_its_value() -> None:
    """The reason may be written to a dead letter, so it holds the place and never the content."""
    handle = dispatch([on("pairing", Small, lambda batch: None)])
    with pytest.raises(Unreadable) as caught:
        handle([decode(binary(), b"k", b'{"state":["Budi Santoso"]}')])
    assert str(caught.value) == "data does not fit the reader at $.state"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_derived_ids_are_uuids_of_version_5(parts: list[str]) -> None:
    """As the standard library makes them, so that anybody can work them out."""
    assert derived_id(*parts) == str(uuid.uuid5(NAMESPACE, "\x1f".join(parts)))


def test_a_value_that_looks_like_a_place_is_not_quoted() -> None:
    """The error of a choice that isn't offered holds the value, and that may hold anything."""

    class Narrow(msgspec.Struct):
        state: Literal["active"]

    handle = dispatch([on("pairing", Narrow, lambda batch: None)])
    with pytest.raises(Unreadable) as caught:
        handle([decode(binary(), b"k", b'{"state":"lives - at Jalan Merdeka 1"}')])
    assert str(caught.value) == "data does not fit the reader at $.state"
