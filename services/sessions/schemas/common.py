"""What several resources have in common."""

import re
from datetime import date, datetime, timedelta
from typing import Any

from marshmallow import fields

from infra.clock import start_of
from infra.problems import Text
from infra.web.fields import (
    Body,
    Free,
    Instant,
    Integer,
    Strict,
    String,
    opt,
    wrong,
)
from infra.web.shapes import DAY_SHAPE, INSTANT_SHAPE

KINDS = ("coaching", "mentoring")
STATUSES = ("planned", "held", "confirmed", "disputed", "cancelled")
DECISIONS = ("endorsed", "declined")
MOST_ACTIONS = 50
NO_MOMENT = Text(
    "Harus tanggal YYYY-MM-DD atau waktu RFC 3339 dengan zona.",
    "Must be a date, YYYY-MM-DD, or an RFC 3339 time with an offset.",
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


_INSTANT = Instant()


class Moment(Strict, fields.String):
    """A time, or a day of Asia/Jakarta that stands for its first moment (with `whole_day` for its end)."""

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        self._shift = timedelta(days=1) if whole_day else timedelta(0)
        super().__init__(metadata={"pattern": f"{DAY_SHAPE}|{INSTANT_SHAPE}"}, **kwargs)

    def read(self, value: Any) -> datetime:
        """The instant, or the first moment of the day (or of the next one)."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            return _INSTANT.read(value)
        try:
            return start_of(date.fromisoformat(value) + self._shift)
        except (ValueError, OverflowError):
            raise wrong(NO_MOMENT) from None


class Versioned(Body):
    """What every resource tells of its last change."""

    version = Integer(required=True)
    effective_at = Instant(required=True)
    updated_at = Instant(required=True)


class Happening(Body):
    """One entry of an activity: who did what, and when it was recorded and took effect."""

    who = String(required=True)
    what = String(required=True)
    when = Instant(required=True)
    effective_at = Instant(required=True)
    version = Integer(required=True)
    note = opt(Free())
