"""What a fact or a person adds to the counters: pure functions of their present state.

A counter is changed by the difference between what the old and the new state add, so that repeating, reordering
and correcting leave every figure as if all had been counted once, from the end (docs/decisions/0030, 0031, 0032).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from services.reporting.domain.people import Person, Place, Skill, Stint, by_end_of_day
from services.reporting.domain.periods import GRAINS, day_before, following, key_of, known, periods_of
from services.reporting.domain.tree import SEPARATOR

Kind = Literal["coaching", "mentoring"]
COUNTED = ("held", "confirmed", "disputed")
JP_DUTY = 20
"""JP that a civil servant should have in a year."""


SETS = frozenset(("reached", "jp20"))
"""People who are counted once for a period, each at the set of their placements in it."""


class Cell(NamedTuple):
    """Where numbers stand: what (`metric`), when (`period`) and where (unit codes of the placements).

    The metric `flow` has several, by field: sums (`flows`) and people (SETS); the others have one, of people.
    """

    metric: str
    period: str
    codes: tuple[str, ...]


class Stock(NamedTuple):
    """From `day` on so many more or fewer people of the unit have exactly this level."""

    unit: str
    competency: str
    level: int
    day: str


class SessionFact(msgspec.Struct, frozen=True):
    """A session as it is counted. at: start as told; path, active: the learner's place on that day."""

    id: str
    seq: int
    person: str
    kind: Kind
    status: str
    minutes: int
    at: datetime
    day: str
    path: str | None = None
    active: bool = False


class CreditFact(msgspec.Struct, frozen=True):
    """JP of one session, certificate or other training, on its day."""

    id: str
    seq: int
    person: str
    jp: int
    day: str
    path: str | None = None
    active: bool = False


Fact = SessionFact | CreditFact


@lru_cache(maxsize=16384)
def codes_of(paths: frozenset[str]) -> tuple[str, ...]:
    """The unit codes in the placements: whoever has them is counted once in each of these units."""
    return tuple(sorted({code for path in paths for code in path.split(SEPARATOR)}))


def flows(fact: Fact) -> Mapping[str, int]:
    """What the fact adds, by field, to the sums of its person's placement and of each period it lies in."""
    if isinstance(fact, CreditFact):
        return {"jp": fact.jp} if fact.jp else {}
    return _of_session(fact.status, fact.kind, fact.minutes)


@lru_cache(maxsize=4096)
def _of_session(status: str, kind: Kind, minutes: int) -> Mapping[str, int]:
    if status == "confirmed":
        return {"confirmed": 1, kind: 1, f"{kind}_minutes": minutes}
    return {status: 1} if status in COUNTED else {}


class Sums:
    """Sums of facts by month and placement; quarters and years follow from the months."""

    def __init__(self) -> None:
        self._by_month: dict[tuple[str, str], dict[str, int]] = {}

    def add(self, fact: Fact, times: int) -> None:
        """Adds the fact so many times; -1 takes it away. One without a placement counts nowhere."""
        if fact.path is None:
            return
        sums = self._by_month.setdefault((fact.day[:7], fact.path), {})
        for field, amount in flows(fact).items():
            sums[field] = sums.get(field, 0) + times * amount

    def cells(self) -> dict[Cell, dict[str, int]]:
        """The sums of months, quarters and years, by field, without those that are 0."""
        cells: dict[tuple[str, str], dict[str, int]] = {}
        for (month, path), sums in self._by_month.items():
            for period in periods_of(month):
                cell = cells.setdefault((period, path), {})
                for field, amount in sums.items():
                    cell[field] = cell.get(field, 0) + amount
        return {
            Cell("flow", period, tuple(path.split(SEPARATOR))): {name: each for name, each in sums.items() if each}
            for (period, path), sums in cells.items()
            if any(sums.values())
        }


def of_reached_instead(old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> dict[Cell, int]:
    """What must be added when the person was reached in the new months and placements instead of the old.

    The person counts once for each period in which they were reached, at the set of their placements in it.
    """
    placements: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for number, reached in enumerate((old, new)):
        for month, path in reached:
            for period in periods_of(month):
                placements[period][number].add(path)
    cells: dict[Cell, int] = {}
    for period, (before, after) in placements.items():
        if before != after:
            for paths, amount in ((before, -1), (after, 1)):
                if paths:
                    cell = Cell("reached", period, codes_of(frozenset(paths)))
                    cells[cell] = cells.get(cell, 0) + amount
    return cells


def of_activity(places: Iterable[Place]) -> Counter[Cell]:
    """The person as +1 in the period from which they have a set of placements, -1 in the one without it."""
    cells: Counter[Cell] = Counter()
    stays = list(_stays(places))
    for grain in GRAINS:
        spans = [(key_of(first, grain), last and key_of(last, grain), path) for first, last, path in stays]
        steps = {first for first, _, _ in spans} | {following(last) for _, last, _ in spans if last is not None}
        before: tuple[str, ...] = ()
        for step in sorted(steps):
            paths = [path for first, last, path in spans if first <= step and (last is None or step <= last)]
            now = codes_of(frozenset(paths))
            if now != before:
                if before:
                    cells[Cell(f"active_{grain}", step, before)] -= 1
                if now:
                    cells[Cell(f"active_{grain}", step, now)] += 1
            before = now
    return cells


def active_codes(places: Iterable[Place], first: str, last: str) -> tuple[str, ...]:
    """The units in which the person was active on any day from `first` to `last`."""
    paths = [path for begin, end, path in _stays(places) if begin <= last and (end is None or first <= end)]
    return codes_of(frozenset(paths))


def _stays(places: Iterable[Place]) -> Iterable[tuple[str, str | None, str]]:
    """First and last day (None: still there) of each stay of an active person in a known placement."""
    ordered = list(places)
    for number, place in enumerate(ordered):
        if place.active and place.path is not None:
            until = ordered[number + 1].since if number + 1 < len(ordered) else None
            yield place.since, until and day_before(until), place.path


def of_duty_met(person: Person, years: Iterable[str]) -> dict[Cell, int]:
    """The person once for each period of these years at whose end they have 20 JP since 1 January."""
    cells: dict[Cell, int] = {}
    for year in years:
        months = person.jp.get(year, {})
        for key in _periods_of(year):
            period = known(key)
            if sum(jp for month, jp in months.items() if month <= period.last[:7]) >= JP_DUTY:
                codes = active_codes(person.places, period.first, period.last)
                if codes:
                    cells[Cell("jp20", key, codes)] = 1
    return cells


def _periods_of(year: str) -> list[str]:
    return [year, *(f"{year}-Q{n}" for n in range(1, 5)), *(f"{year}-{n:02}" for n in range(1, 13))]


def of_person_instead(old: Person, new: Person) -> dict[Cell, int]:
    """What must be added to the counters of people when the person is no longer as `old` but as `new`."""
    cells: dict[Cell, int] = {}
    moved = old.places != new.places
    if moved:
        cells |= difference(of_activity(old.places), of_activity(new.places))
    for year, after in new.reached.items():
        before = old.reached.get(year, {})
        if before.keys() != after.keys():
            cells |= of_reached_instead(before, after)
    if moved or old.jp != new.jp:
        years = {year for year, jp in new.jp.items() if moved or jp != old.jp.get(year)}
        cells |= difference(of_duty_met(old, years), of_duty_met(new, years))
    return cells


def of_skills(history: Iterable[Stint], skills: Iterable[Skill]) -> Counter[Stock]:
    """The person's levels in their own unit as +1 and -1 on the days on which that changes."""
    stints = by_end_of_day(tuple(history))
    levels: dict[str, dict[str, int]] = {}
    for skill in skills:
        levels.setdefault(skill.competency, {})[skill.since] = skill.level
    stocks: Counter[Stock] = Counter()
    for competency, by_since in levels.items():
        before: tuple[str, int] | None = None
        for day in sorted({*by_since, *(stint.since for stint in stints)}):
            now = _holding(stints, by_since, day)
            if now != before:
                if before is not None:
                    stocks[Stock(before[0], competency, before[1], day)] -= 1
                if now is not None:
                    stocks[Stock(now[0], competency, now[1], day)] += 1
            before = now
    return stocks


def _holding(stints: Iterable[Stint], by_since: Mapping[str, int], day: str) -> tuple[str, int] | None:
    """Unit and level (1 or more) of an active person at the end of the day."""
    stint = max((each for each in stints if each.since <= day), key=lambda each: each.since, default=None)
    since = max((each for each in by_since if each <= day), default=None)
    if stint is None or since is None or not stint.active or by_since[since] < 1:
        return None
    return stint.unit, by_since[since]


def difference(old: Mapping[Cell, int], new: Mapping[Cell, int]) -> dict[Cell, int]:
    """What must be added so that the counters hold the new instead of the old."""
    change = dict(new)
    for cell, amount in old.items():
        change[cell] = change.get(cell, 0) - amount
    return {cell: amount for cell, amount in change.items() if amount}
