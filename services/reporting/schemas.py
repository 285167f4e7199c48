"""What comes in and goes out over HTTP."""

from typing import Any

from marshmallow import fields

from infra.problems import Text
from infra.web.fields import (
    Body,
    Boolean,
    Code,
    Instant,
    Integer,
    Level,
    OneOf,
    Strict,
    String,
    UuidStr,
    opt,
    wrong,
)
from infra.web.paging import PageArgs
from services.reporting.domain.periods import GRAINS, Period, parse
from services.reporting.kpis import PART_NAMES

NO_PERIOD = Text(
    "Bukan periode; tulis seperti 2016, 2016-Q2 atau 2016-05.",
    "Not a period; write it as 2016, 2016-Q2 or 2016-05.",
)


class PeriodField(Strict, fields.String):
    """A year, quarter or month: `2016`, `2016-Q2`, `2016-05`."""

    def __init__(self, **kwargs: Any) -> None:
        shape = "^(19[0-9][0-9]|2[01][0-9][0-9]|2200)(-Q[1-4]|-(0[1-9]|1[0-2]))?$"
        super().__init__(metadata={"pattern": shape, "example": "2016-Q2"}, **kwargs)

    def read(self, value: Any) -> Period:
        """The period; raises ValidationError when it is none, or not of the years 1900 to 2200."""
        period = parse(value) if isinstance(value, str) and len(value) <= 7 else None
        if period is None or not "1900" <= period.first[:4] <= "2200":
            raise wrong(NO_PERIOD)
        return period


class KpisQuery(PageArgs):
    """Which figures: of the city and the present year unless told otherwise."""

    period = opt(PeriodField())
    unit = opt(Code())


class EvidenceQuery(KpisQuery):
    """Which records: of the city and the present year unless told otherwise."""

    part = opt(OneOf(*PART_NAMES))


class SeriesQuery(PageArgs):
    """Which stretch of time: up to the present period unless told otherwise."""

    grain = OneOf(*GRAINS, load_default="month")
    first = opt(PeriodField(data_key="from"))
    last = opt(PeriodField(data_key="to"))
    unit = opt(Code())
    part = opt(OneOf(*PART_NAMES))


class Value(fields.Float):
    """A JSON number as it was made: a count stays a whole number."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return value


class KpiOut(Body):
    """One figure of a unit with all below it, in one period. previous: its value in the period before."""

    id = String(required=True)
    part = opt(String())
    name = String(required=True)
    period = String(required=True)
    unit = Code(required=True)
    value = opt(Value())
    numerator = opt(Integer())
    denominator = opt(Integer())
    measure = OneOf("ratio", "count", "hours", "days", "jp", "level", "index", required=True)
    target = opt(Value())
    previous = opt(Value())
    as_of = Instant(required=True)
    withheld = Boolean(required=True)


class PointOut(Body):
    """One figure in one period of a series."""

    key = String(required=True)
    label = String(required=True)
    value = opt(Value())
    numerator = opt(Integer())
    denominator = opt(Integer())
    withheld = Boolean(required=True)


class EvidenceOut(Body):
    """One record behind a figure: its type and id, when it took effect, where it counts."""

    type = OneOf("session", "credit", "employee", "participant", "need", "endorsement", required=True)
    id = UuidStr(required=True)
    at = Instant(required=True)
    unit = Code(required=True)
    part = opt(String())


class GapOut(Body):
    """A need at the end of the period: people needed, there, missing, and missing at the end of the one before."""

    unit = Code(required=True)
    competency = Code(required=True)
    level = Level(required=True)
    needed = Integer(required=True)
    have = Integer(required=True)
    missing = Integer(required=True)
    missing_before = Integer(required=True)


class SourceOut(Body):
    """How far a topic was read. behind_seconds: since when something may be missing."""

    source = String(required=True)
    last_event_at = opt(Instant())
    behind_events = Integer(required=True)
    behind_seconds = Integer(required=True)
