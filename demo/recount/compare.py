"""Holds the services' figures against the recount: which agree to the last digit, and which do not."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from demo.play.callers import Caller
from demo.recount.books import Books
from demo.recount.figures import Figure, recount
from demo.recount.periods import period

_CATCH_UP_SECONDS = 300.0


@dataclass(frozen=True)
class Line:
    """One figure as the service has it and as it was recounted; `told` is None where the service has none.

    counted: whether the records behind it were counted as well.
    """

    unit: str
    period: str
    id: str
    part: str | None
    told: Figure | None
    told_value: Decimal | None
    mine: Figure
    counted: bool = True

    @property
    def agrees(self) -> bool:
        """Whether value, numerator, denominator and, where counted, the number of records are all the same."""
        return self.told == self.mine and self.told_value == self.mine.value


@dataclass(frozen=True)
class Question:
    """All figures of one place and period. records: whether those behind each figure are counted, too."""

    unit: str
    period: str
    records: bool = True


def settled(caller: Caller) -> bool:
    """Waits until reporting has read all that the others have told; whether it has, within bounds."""
    give_up = time.monotonic() + _CATCH_UP_SECONDS
    quiet = 0
    while quiet < 3 and time.monotonic() < give_up:
        behind = [source["behind_events"] for source in caller.get("reporting", "/freshness")["items"]]
        quiet = quiet + 1 if behind and not any(behind) else 0
        time.sleep(0.3)
    return quiet >= 3


def compare(caller: Caller, books: Books, asked: Question, today: date) -> Iterator[Line]:
    """All figures that are asked for, one by one."""
    rows = caller.get("reporting", "/kpis", unit=asked.unit, period=asked.period)["items"]
    told = {(row["id"], row.get("part")): row for row in rows}
    mine = recount(books, asked.unit, period(asked.period, today))
    for key in [*mine, *(told.keys() - mine)]:
        # A figure that the recount doesn't know can't agree.
        yield _line(caller, asked, key, told.get(key), mine.get(key, Figure(-1, None, -1)))


def _line(caller: Caller, asked: Question, key: tuple[str, str | None], row: Any, mine: Figure) -> Line:
    kpi, part = key
    if row is None:
        return Line(asked.unit, asked.period, kpi, part, None, None, mine)
    records = mine.evidence
    if asked.records:
        which = {"unit": asked.unit, "period": asked.period, **({"part": part} if part else {})}
        records = sum(1 for _ in caller.pages("reporting", f"/kpis/{kpi}/evidence", **which))
    value = None if row["value"] is None else Decimal(str(row["value"]))
    told = Figure(row["numerator"], row["denominator"], records)
    return Line(asked.unit, asked.period, kpi, part, told, value, mine, asked.records)


def credits_agree(caller: Caller, books: Books, year: int) -> tuple[int, int]:
    """For how many people sessions tells the year's JP as recounted, and how many people there are."""
    totals: dict[str, int] = {}
    for credit in books.credits:
        if credit.day.year == year:
            totals[credit.person] = totals.get(credit.person, 0) + credit.jp
    right = 0
    for person, total in totals.items():
        answer = caller.get("sessions", f"/employees/{person}/credits", year=year)
        right += answer["total"] == total
    return right, len(totals)
