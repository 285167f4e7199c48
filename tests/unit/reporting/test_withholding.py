"""What those outside are not told, and that no other question tells it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.periods import GRAINS, between, known
from services.reporting.domain.training import FUNNEL
from services.reporting.domain.withholding import Cell, withheld
from services.reporting.kpis import KPIS, people_in

YEAR = known("2026")
QUARTERS = [each.key for each in between("quarter", YEAR.first, YEAR.last)]
MONTHS = [each.key for each in between("month", YEAR.first, YEAR.last)]
PEOPLE = st.integers(0, 12) | st.just(0)
FAMILIES = [(YEAR.key, QUARTERS)] + [
    (quarter, [each.key for each in between("month", known(quarter).first, known(quarter).last)])
    for quarter in QUARTERS
]


def of_year(months: Mapping[str, Sequence[int]]) -> dict[str, dict[str, int]]:
    """Counts by period of what adds up, given by month."""
    counts: dict[str, dict[str, int]] = {}
    for grain in GRAINS:
        for period in between(grain, YEAR.first, YEAR.last):
            at = slice(int(period.first[5:7]) - 1, int(period.last[5:7]))
            counts[period.key] = {name: sum(people[at]) for name, people in months.items()}
    return counts


def hidden(counts: Mapping[str, Mapping[str, int]], *names: str) -> frozenset[Cell]:
    return withheld(counts, names, [YEAR])


def lines(*names: str) -> Iterator[list[Cell]]:
    """All siblings."""
    for _, keys in FAMILIES:
        yield from ([(key, name) for key in keys] for name in names)
    if set(names) >= set(FUNNEL):
        yield from ([(key, part) for part in FUNNEL] for key in (YEAR.key, *QUARTERS, *MONTHS))


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ({"reached": 0, "active": 10}, set()),
        ({"reached": 1, "active": 10}, {"reached"}),
        ({"reached": 4, "active": 10}, {"reached"}),
        ({"reached": 5, "active": 10}, set()),
        ({"reached": 8, "active": 10}, {"reached"}),
        ({"reached": 10, "active": 10}, set()),
        ({"reached": 2, "active": 3}, {"reached", "active"}),
        ({"representatives": 3, "active": 10}, {"representatives"}),
    ],
)
def test_counts_and_differences_of_1_to_4_people_are_small(numbers: dict[str, int], names: set[str]) -> None:
    """0 and 5 are told; of a difference it is the part that goes, which every figure of it hides then."""
    found = hidden({YEAR.key: numbers} | {key: {} for key in (*QUARTERS, *MONTHS)}, *numbers)
    assert {name for key, name in found if key == YEAR.key} == names


@given(st.fixed_dictionaries({part: st.lists(PEOPLE, min_size=12, max_size=12) for part in FUNNEL}))
def test_small_ones_go_and_never_just_one_of_its_siblings(months: dict[str, list[int]]) -> None:
    """Else it could be had by subtraction."""
    counts = of_year(months)
    found = hidden(counts, *FUNNEL)
    assert {(key, part) for key in counts for part in FUNNEL if 1 <= counts[key][part] <= 4} <= found
    assert all(sum(cell in found for cell in line) != 1 for line in lines(*FUNNEL))


@given(st.lists(PEOPLE, min_size=12, max_size=12))
def test_nothing_that_is_withheld_follows_from_sums(people: list[int]) -> None:
    """Whoever asks for everything and solves each sum with one unknown finds none of 1-4 people."""
    counts = of_year({"gaps_closed": people})
    found = hidden(counts, "gaps_closed")
    unknown = {key for key, _ in found}
    sums = [{whole, *keys} for whole, keys in FAMILIES]
    while alone := next((each & unknown for each in sums if len(each & unknown) == 1), None):
        unknown -= alone
    assert {key for key in counts if 1 <= counts[key]["gaps_closed"] <= 4} <= unknown


def test_the_next_smallest_goes_with_the_only_small_one() -> None:
    """The month that was hidden in a series is hidden in the list of its month, too; zeros go last."""
    assert hidden(of_year({"reached": [2, 5, 9] + [0] * 9}), "reached") == {
        ("2026-01", "reached"),
        ("2026-02", "reached"),
    }
    assert hidden(of_year({"reached": [0, 3, 60] + [0] * 9}), "reached") == {
        ("2026-02", "reached"),
        ("2026-03", "reached"),
    }
    assert ("2026-02", "reached") not in hidden(of_year({"reached": [5, 9, 0] + [0] * 9}), "reached")


def test_a_quarter_that_goes_takes_months_along() -> None:
    """The second quarter goes with the first one of 3; told by its months it would give that away."""
    found = hidden(of_year({"gaps_closed": [1, 1, 1, 5, 6, 0, 9, 9, 9, 9, 9, 9]}), "gaps_closed")
    assert {key for key, _ in found} == {
        "2026-Q1",
        "2026-Q2",
        "2026-01",
        "2026-02",
        "2026-03",
        "2026-04",
        "2026-05",
    }


@pytest.mark.parametrize(
    ("kpi", "part", "people"),
    [
        ("reach", None, ("reached", "active")),
        ("multiplier", None, ("reached", "representatives")),
        ("jp_mean", None, ("active",)),
        ("training_funnel", "accepted", ("accepted",)),
        ("sessions", "coaching", ()),
        ("unit_coverage", None, ()),
    ],
)
def test_figures_know_the_people_that_they_tell(kpi: str, part: Any, people: tuple[str, ...]) -> None:
    """By these a figure is withheld together with every other one that tells the same people."""
    assert people_in(KPIS[kpi], part) == people
