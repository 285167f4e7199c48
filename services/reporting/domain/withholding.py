"""Small numbers of people are not told to those outside (Programme rules, Withheld).

It is decided for the counts that figures are made of, over whole years and whatever was asked for: so no second
question, about another period or another figure, tells what the first one hid.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from services.reporting.domain.periods import Period, between
from services.reporting.domain.training import FUNNEL

SMALL = range(1, 5)
SOME_OF: Mapping[str, str] = {"reached": "active", "jp20": "active"}
"""Counts of people who are some of the people of another count, so that the difference is people, too."""
ADD_UP = frozenset({*FUNNEL, "gaps_closed"})
"""Counts of which a quarter is the sum of its months, and a year that of its quarters."""

Cell = tuple[str, str]
"""The key of a period, and the name of a count."""
Counts = Mapping[str, Mapping[str, int]]
"""The counts by period: of whole years, with their quarters and months; what is missing is 0."""


def withheld(counts: Counts, names: Collection[str], years: Iterable[Period]) -> frozenset[Cell]:
    """Which of the named counts are withheld: the small ones and, where that is just one of its siblings, another.

    Siblings are the months of a quarter, the quarters of a year and the parts of the training. The next smallest
    goes with the only one, which could be found by subtraction else. A sum that goes takes an addend along.
    """
    hidden = {(key, name) for key in counts for name in names if _is_small(counts[key], name)}
    families = [family for year in years for family in _families(year)]
    lines = [[(key, name) for key in parts] for _, parts in families for name in names]
    lines += [[(key, part) for part in FUNNEL] for key in counts if FUNNEL.keys() <= set(names)]
    adding = [((whole, name), [(key, name) for key in parts]) for whole, parts in families for name in ADD_UP]
    before = -1
    while len(hidden) > before:
        before = len(hidden)
        for line in lines:
            if sum(cell in hidden for cell in line) == 1:
                _hide_smallest(counts, line, hidden)
        for total, addends in adding:
            if total in hidden and _size(counts, total) and not hidden.intersection(addends):
                _hide_smallest(counts, addends, hidden)
    return frozenset(hidden)


def _families(year: Period) -> Iterator[tuple[str, Sequence[str]]]:
    quarters = between("quarter", year.first, year.last)
    yield year.key, [quarter.key for quarter in quarters]
    for quarter in quarters:
        yield quarter.key, [month.key for month in between("month", quarter.first, quarter.last)]


def _is_small(counts: Mapping[str, int], name: str) -> bool:
    """Whether the count, or what it lacks of the one that it is a part of, is 1-4 people."""
    people = counts.get(name, 0)
    whole = SOME_OF.get(name)
    return people in SMALL or (whole is not None and counts.get(whole, 0) - people in SMALL)


def _hide_smallest(counts: Counts, line: Sequence[Cell], hidden: set[Cell]) -> None:
    """A sibling of 0 hides nothing, so it goes only when there is no other."""
    others = [cell for cell in line if cell not in hidden]
    if others:
        hidden.add(min(others, key=lambda cell: (_size(counts, cell) == 0, _size(counts, cell))))


def _size(counts: Counts, cell: Cell) -> int:
    key, name = cell
    return counts[key].get(name, 0)
