"""Fields for marshmallow that take exactly what the contract says, and no near miss of it.

JSON types are not converted (`"1"` is no number, `true` neither); text is NFC, without control characters.
Give a field `required=True`, or wrap it in `opt` for the contract's `?`: optional in, null out.
"""

import re
from datetime import date, datetime
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from infra.clock import from_wire, to_wire
from infra.problems import Refused, Text
from infra.web.bodies import Body, Strict
from infra.web.context import now
from infra.web.shapes import DAY_SHAPE, INSTANT_SHAPE
from infra.web.texts import NO_STRING, Code, Email, Free, OneOf, String, UuidStr, wrong

__all__ = [
    "NO_STRING",
    "Body",
    "Boolean",
    "Code",
    "Day",
    "Effective",
    "EffectiveAt",
    "Email",
    "Free",
    "Instant",
    "Integer",
    "Level",
    "OneOf",
    "QueryBoolean",
    "QueryInteger",
    "Strict",
    "String",
    "UuidStr",
    "opt",
    "wrong",
    "wrong_field",
]

F = TypeVar("F", bound="fields.Field[Any]")

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS = re.compile(r"-?\d{1,15}", re.ASCII)
_YEARS = range(1900, 2201)

NO_INTEGER = Text("Harus bilangan bulat.", "Must be a whole number.")
NO_BOOLEAN = Text("Harus true atau false.", "Must be true or false.")
NO_INSTANT = Text(
    "Harus waktu RFC 3339 dengan zona, misalnya 2026-05-16T08:00:00+07:00.",
    "Must be an RFC 3339 time with an offset, for example 2026-05-16T08:00:00+07:00.",
)
NO_DAY = Text("Harus tanggal YYYY-MM-DD.", "Must be a date, YYYY-MM-DD.")
YEAR = Text("Tahun harus 1900 sampai 2200.", "The year must be from 1900 to 2200.")
IN_FUTURE = Text("Waktu berlaku tidak boleh di masa depan.", "The effective time must not be in the future.")


def wrong_field(name: str, text: Text) -> ValidationError:
    """The same, blaming one field by name, from a hook that looks at several."""
    return ValidationError({name: [text]})


def opt(field: F | type[F]) -> F:
    """The contract's `?`: may be missing or null in (gives None), is null out when there is none."""
    made = field() if isinstance(field, type) else field
    made.required = False
    made.allow_none = True
    made.load_default = None
    made.dump_default = None
    if isinstance(made, Free):
        made.bear_blank()
    return made


class Integer(Strict, fields.Integer):
    """A JSON integer, and nothing that can be made into one. Bounds: `least`, `most`, both inclusive."""

    wire = int

    def __init__(self, *, least: int | None = None, most: int | None = None, **kwargs: Any) -> None:
        if least is not None or most is not None:
            kwargs["validate"] = validate.Range(least, most)
        super().__init__(**kwargs)

    def read(self, value: Any) -> int:
        """An int; bool is none, and 3.0 is the same JSON number as 3."""
        if type(value) is float and value.is_integer() and abs(value) < 2**53:
            return int(value)
        if type(value) is not int:
            raise wrong(NO_INTEGER)
        return value


class Level(Integer):
    """How well a competency is had: 0 none to 4 can teach it."""

    def __init__(self, *, least: int = 0, most: int = 4, **kwargs: Any) -> None:
        super().__init__(least=least, most=most, **kwargs)


class QueryInteger(Integer):
    """An integer in a query string: decimal digits, an optional minus."""

    def read(self, value: Any) -> int:
        """From text."""
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise wrong(NO_INTEGER)
        return int(value)


class Boolean(Strict, fields.Boolean):
    """JSON true or false."""

    wire = bool

    def read(self, value: Any) -> bool:
        """A bool and nothing like one."""
        if not isinstance(value, bool):
            raise wrong(NO_BOOLEAN)
        return value


class QueryBoolean(Boolean):
    """`true` or `false` in a query string."""

    def read(self, value: Any) -> bool:
        """From text."""
        if value not in ("true", "false"):
            raise wrong(NO_BOOLEAN)
        return bool(value == "true")


class Instant(Strict, fields.DateTime):
    """RFC 3339 with any offset in, an aware UTC datetime inside, `Z` out."""

    def __init__(self, *, shape: str = INSTANT_SHAPE, **kwargs: Any) -> None:
        kwargs["metadata"] = {"pattern": shape, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def read(self, value: Any) -> datetime:
        """In UTC, cut to milliseconds."""
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise wrong(NO_INSTANT)
        try:
            instant = from_wire(value.upper())
        except (ValueError, OverflowError):
            raise wrong(NO_INSTANT) from None
        if int(value[:4]) not in _YEARS:
            raise wrong(YEAR)
        return instant

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return to_wire(value) if isinstance(value, datetime) else value


class EffectiveAt(Instant):
    """When a change took effect; the clock refuses the future (`effective-in-future`)."""

    def read(self, value: Any) -> datetime:
        """An instant that is not after now."""
        instant = super().read(value)
        if instant > now():
            raise Refused("effective-in-future", IN_FUTURE)
        return instant


class Effective(Body):
    """Mixin for the bodies of HR and officers: `effective_at?`, which is no content of the resource."""

    effective_at = opt(EffectiveAt(load_only=True))


class Day(Strict, fields.Date):
    """A calendar day, `YYYY-MM-DD`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"pattern": DAY_SHAPE, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def read(self, value: Any) -> date:
        """A date that exists."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise wrong(NO_DAY)
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise wrong(NO_DAY) from None
        if day.year not in _YEARS:
            raise wrong(YEAR)
        return day

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return value.isoformat() if isinstance(value, date) else value
