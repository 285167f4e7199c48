"""Periods as the figures name them: `2016`, `2016-Q2`, `2016-05`; days are those of Asia/Jakarta."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

_JAKARTA = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Period:
    """first and last day, both included; `last` is never after today, since stocks stand at the end or now."""

    name: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.first <= day <= self.last


def period(name: str, today: date) -> Period:
    """Reads the name of a period."""
    year, _, rest = name.partition("-")
    if not rest:
        months = (1, 12)
    elif rest.startswith("Q"):
        months = (3 * int(rest[1:]) - 2, 3 * int(rest[1:]))
    else:
        months = (int(rest), int(rest))
    end = calendar.monthrange(int(year), months[1])[1]
    return Period(name, date(int(year), months[0], 1), min(today, date(int(year), months[1], end)))


def day_of(instant: datetime) -> date:
    """The day in the city on which the instant falls."""
    return instant.astimezone(_JAKARTA).date()
