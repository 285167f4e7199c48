"""Years, quarters and months: `2016`, `2016-Q2`, `2016-05` (Programme rules, KPIs)."""

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, get_args

import msgspec

Grain = Literal["year", "quarter", "month"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

DAWN = "0001-01-01"
"""A day before every other one."""

_SHAPE = re.compile(r"(?P<year>(?!0000)\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?", re.ASCII)


class Period(msgspec.Struct, frozen=True):
    """A year, quarter or month; `first` and `last` are the days that it begins and ends with."""

    grain: Grain
    key: str
    first: str
    last: str

    @property
    def months(self) -> tuple[str, str]:
        """The keys of its first and last month."""
        return self.first[:7], self.last[:7]


@lru_cache(maxsize=4096)
def parse(key: str) -> Period | None:
    """The period that the key stands for, or None when it stands for none."""
    found = _SHAPE.fullmatch(key)
    if found is None:
        return None
    year = int(found["year"])
    if found["month"]:
        return _months("month", key, year, int(found["month"]), 1)
    if found["quarter"]:
        return _months("quarter", key, year, int(found["quarter"]) * 3 - 2, 3)
    return _months("year", key, year, 1, 12)


def _months(grain: Grain, key: str, year: int, month: int, count: int) -> Period:
    end = month + count - 1
    last = f"{year:04}-{end:02}-{monthrange(year, end)[1]:02}"
    return Period(grain, key, f"{year:04}-{month:02}-01", last)


@lru_cache(maxsize=16384)
def key_of(day: str, grain: Grain) -> str:
    """The key of the period of that grain in which the day (or month, `YYYY-MM`) lies."""
    if grain == "year":
        return day[:4]
    if grain == "month":
        return day[:7]
    return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"


@lru_cache(maxsize=4096)
def periods_of(month: str) -> tuple[str, ...]:
    """The keys of the year, the quarter and the month itself."""
    return tuple(key_of(month, grain) for grain in GRAINS)


def of_day(day: str, grain: Grain) -> Period:
    """The period of that grain in which the day lies."""
    return known(key_of(day, grain))


def known(key: str) -> Period:
    """As `parse`, for keys that were made by this module."""
    period = parse(key)
    if period is None:
        raise ValueError(f"{key!r} is no period")
    return period


@lru_cache(maxsize=16384)
def following(key: str) -> str:
    """The key of the next period of the same grain."""
    period = known(key)
    return key_of(day_after(period.last), period.grain)


def previous(period: Period) -> Period | None:
    """The period of the same grain before this one; None before the year 1."""
    if period.first == DAWN:
        return None
    return of_day(day_before(period.first), period.grain)


def between(grain: Grain, first: str, last: str) -> list[Period]:
    """The periods of that grain from the one with the day `first` to the one with the day `last`."""
    periods = []
    key = key_of(first, grain)
    end = key_of(last, grain)
    while key <= end:
        periods.append(known(key))
        key = following(key)
    return periods


@lru_cache(maxsize=16384)
def day_after(day: str) -> str:
    """The next day; the last day of the calendar has itself."""
    if day == "9999-12-31":
        return day
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


@lru_cache(maxsize=16384)
def day_before(day: str) -> str:
    """The day before; the first day of the calendar has itself."""
    if day == DAWN:
        return day
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def standing(period: Period, today: str) -> str:
    """The day at whose end a stock stands: the period's last, or today if that is earlier."""
    return min(period.last, today)
