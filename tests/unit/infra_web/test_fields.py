"""Fields take what the contract says and no near miss."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from infra.clock import to_wire
from infra.web.fields import (
    Body,
    Boolean,
    Code,
    Day,
    Email,
    Free,
    Instant,
    Integer,
    Level,
    OneOf,
    QueryBoolean,
    QueryInteger,
    String,
    UuidStr,
    opt,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80)


def refuses(field: Any, value: object) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (Integer(), [0, -3, 10**15, 3.0], ["1", 1.5, True, None, [], 1e300]),
        (Integer(least=5, most=480), [5, 480], [4, 481]),
        (Level(), [0, 4], [5, -1, "3", False]),
        (QueryInteger(), ["0", "-12"], ["1.0", "", " 1", "1e3", "٣", "9" * 30, 3]),
        (Boolean(), [True, False], [0, 1, "true", None]),
        (QueryBoolean(), ["true", "false"], ["True", "1", "", "yes"]),
        (String(max=5), ["a", "Dédé"], ["", "  ", "abcdef", "a\nb", "a\x00", "\ud800", "a\u202eb", 3, None]),
        (Free(), ["a\nb\tc"], ["", "\n", "a\x00b", "a\x1b[0m", ["a"], "a" + "\u0301" * 31]),
        (Code(), ["dinas-kesehatan", "2.01 x"], ["", " a", "a ", "a/b", "a\tb", "x" * 65]),
        (UuidStr(), ["0b2e9f5e-0000-4000-8000-000000000000"], ["0B2E9F5E-0000-4000-8000-000000000000", "x", 1]),
        (
            Email(),
            ["siti.aminah@tangerangkota.go.id"],
            ["siti", "a@b", "a b@c.id", "<a@b.id>", "a@b.id\r\nBcc: x@y.id"],
        ),
        (OneOf("planned", "held"), ["held"], ["HELD", "", None, 1]),
        (Day(), ["2016-02-29"], ["2015-02-29", "2016-2-9", "20160229", "2016-05-16T00:00:00Z", "1899-12-31", 5]),
        (
            Instant(),
            ["2026-05-16T08:00:00+07:00", "2026-05-16t01:00:00.123456789z"],
            [
                "2026-05-16T08:00:00",
                "2026-05-16",
                "2026-13-01T00:00:00Z",
                "9999-12-31T23:59:59-01:00",
                "0001-01-01T00:00:00+14:00",
                0,
            ],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_takes_exactly_the_contract(field: Any, good: list[object], bad: list[object]) -> None:
    """JSON types are not converted; what looks alike is refused."""
    for value in good:
        field.deserialize(value)
    for value in bad:
        assert refuses(field, value), value


@given(st.integers(-600_000_000, 5_600_000_000), st.integers(-14 * 60, 14 * 60))
def test_an_instant_keeps_its_moment(seconds: int, offset: int) -> None:
    """Whatever the offset in, it is the same moment in UTC inside and outside."""
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset)))
    read = Instant().deserialize(moment.isoformat())
    assert read == moment
    assert read.tzinfo == UTC
    assert Instant().deserialize(to_wire(read)) == read


@given(st.text(max_size=60))
def test_text_never_holds_a_control_character(text: str) -> None:
    """Nothing that a log, a mail header or a terminal could take for a command."""
    if not refuses(String(), text):
        assert all(ord(c) >= 0x20 and not 0x7F <= ord(c) <= 0x9F for c in String().deserialize(text))


@settings(max_examples=50)
@given(SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2))
def test_no_json_value_makes_a_field_stumble(value: object) -> None:
    """Whatever comes in, it is taken or refused; nothing else is raised."""
    for field in (
        Integer(),
        Boolean(),
        String(),
        Free(),
        Code(),
        UuidStr(),
        Email(),
        OneOf("a"),
        Day(),
        Instant(),
    ):
        refuses(field, value)


def test_text_is_normalised() -> None:
    """The same word is the same text, whatever phone it came from."""
    assert String().deserialize("De\u0301de") == "D\u00e9de"
    assert Free().deserialize("a\r\nb") == "a\nb"


def test_optional_prose_that_is_blank_is_not_given() -> None:
    """What a form sends for a field that was left empty; other optional texts stay as strict as they were."""

    class Note(Body):
        text = opt(Free(max=5))
        line = opt(String())

    for blank in ("", " ", "\r\n", "\t"):
        assert Note().load({"text": blank}) == {"text": None, "line": None}
        assert not refuses(Note().fields["text"], blank)
        assert refuses(Note().fields["line"], blank)
    for wrong in ("\x1f", " " * 6, [""]):
        assert refuses(Note().fields["text"], wrong)


def test_optional_in_null_out() -> None:
    """The contract's `?`."""

    class Thing(Body):
        level = opt(Level())
        due_on = opt(Day)

    assert Thing().load({}) == {"level": None, "due_on": None}
    assert Thing().load({"level": None}) == {"level": None, "due_on": None}
    assert Thing().dump({"due_on": date(2026, 5, 16)}) == {"level": None, "due_on": "2026-05-16"}
