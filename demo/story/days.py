"""When a civil servant of Kota Tangerang can be met: office hours, WIB."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

WIB = ZoneInfo("Asia/Jakarta")
WEEKS = 12
GRID = timedelta(minutes=5)

# Those whose date is the same every year; the moving ones (Idulfitri, Nyepi, ...) would need a calendar.
_FIXED_HOLIDAYS = {(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)}

_MON_TO_THU = ((time(7, 30), time(12, 0)), (time(12, 45), time(16, 0)))
_FRIDAY = ((time(7, 30), time(11, 30)), (time(13, 0), time(14, 30)))


def working(day: date) -> bool:
    """Whether offices are open on this day."""
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED_HOLIDAYS


def office_hours(day: date) -> tuple[tuple[time, time], ...]:
    """The stretches of office hours of a day, without the lunch break; none on days off."""
    if not working(day):
        return ()
    return _FRIDAY if day.weekday() == 4 else _MON_TO_THU


def starts(day: date, minutes: int) -> Iterator[datetime]:
    """Every start, five minutes apart, from which a meeting of that length ends within office hours."""
    for opens, closes in office_hours(day):
        at = datetime.combine(day, opens, WIB)
        last = datetime.combine(day, closes, WIB) - timedelta(minutes=minutes)
        while at <= last:
            yield at
            at += GRID


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by the wall clock of the city."""
    return datetime.combine(day, time(hour, minute), WIB)


def working_day(day: date) -> date:
    """The day itself, or the first one after it on which offices are open."""
    while not working(day):
        day += timedelta(days=1)
    return day


@dataclass(frozen=True)
class Season:
    """The twelve weeks that end on `end`; `first` is their first day."""

    end: date

    @property
    def first(self) -> date:
        """The first of the 84 days."""
        return self.end - timedelta(days=7 * WEEKS - 1)

    @property
    def proposed(self) -> datetime:
        """When HR proposed the pairings: the morning 13 weeks before the season's end."""
        return at(working_day(self.first - timedelta(days=7)), 8)

    def week(self, number: int) -> list[date]:
        """The working days of a week, counted from 0."""
        monday = self.first + timedelta(days=7 * number)
        return [day for day in (monday + timedelta(days=n) for n in range(7)) if working(day)]

    def week_of(self, instant: datetime) -> int:
        """The week, counted from 0, in which an instant of the season falls."""
        return (instant.astimezone(WIB).date() - self.first).days // 7


@dataclass
class Diary:
    """Who is busy when, so that nobody is in two meetings at once."""

    _busy: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def free(self, people: tuple[str, ...], start: datetime, minutes: int) -> bool:
        """Whether none of these people meets anybody in that time."""
        end = start + timedelta(minutes=minutes)
        return not any(start < until and since < end for who in people for since, until in self._busy.get(who, ()))

    def book(self, people: tuple[str, ...], start: datetime, minutes: int) -> None:
        """Notes the meeting down for each of them."""
        for who in people:
            self._busy.setdefault(who, []).append((start, start + timedelta(minutes=minutes)))

    def overlaps(self) -> bool:
        """Whether anybody is booked twice at once."""
        return any(a[1] > b[0] for times in self._busy.values() for a, b in pairwise(sorted(times)))
