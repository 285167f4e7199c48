"""Dividing, rounding and withholding."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.withholding import Amounts, is_small, withheld
from services.reporting.kpis import KPIS, divided, figure, name_of

PEOPLE = st.integers(0, 12)


@pytest.mark.parametrize(
    ("numerator", "denominator", "value"),
    [
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (1, 20000, "0.0001"),
        (3, 20000, "0.0002"),
        (0, 7, "0.0000"),
        (5, 0, None),
    ],
)
def test_values_are_rounded_half_up_to_four_places(numerator: int, denominator: int, value: str | None) -> None:
    """Never to even; nothing divided by nothing is no figure."""
    assert divided(numerator, denominator) == (Decimal(value) if value else None)


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_rounding_is_exact(numerator: int, denominator: int) -> None:
    """The rounded value is at most half of the last place away, and the half goes up."""
    value = divided(numerator, denominator)
    assert value is not None
    difference = Fraction(value) - Fraction(numerator, denominator)
    assert Fraction(-1, 20000) < difference <= Fraction(1, 20000)


def test_figures_of_nothing() -> None:
    """Counts are 0, quotients of 0 people are none, hours are 0."""
    made = {kpi.id: figure(kpi, kpi.parts[0], {}) for kpi in KPIS.values()}
    assert made["sessions"].value == 0
    assert made["reach"].value is None
    assert made["hours"].value == 0
    assert made["confirmation_rate"].denominator == 0


def test_parts_add_up() -> None:
    """The whole of sessions and hours is what its parts are together."""
    numbers = {"coaching": 2, "mentoring": 3, "coaching_minutes": 50, "mentoring_minutes": 100}
    assert [figure(KPIS["sessions"], part, numbers).value for part in KPIS["sessions"].parts] == [5, 2, 3]
    assert [figure(KPIS["hours"], part, numbers).value for part in KPIS["hours"].parts] == [
        Decimal("2.5"),
        Decimal("0.8333"),
        Decimal("1.6667"),
    ]
    assert name_of(KPIS["hours"], "coaching").en == "Hours of guidance: Coaching"


@pytest.mark.parametrize(
    ("amounts", "small"),
    [
        (Amounts(0, 10, part_of_it=True), False),
        (Amounts(1, 10, part_of_it=True), True),
        (Amounts(5, 10, part_of_it=True), False),
        (Amounts(6, 10, part_of_it=True), True),
        (Amounts(6, 10, part_of_it=False), False),
        (Amounts(10, 10, part_of_it=True), False),
        (Amounts(None, 4), True),
        (Amounts(4, None), True),
        (Amounts(None, None), False),
    ],
)
def test_numerator_denominator_and_difference_of_1_to_4_people_are_small(amounts: Amounts, *, small: bool) -> None:
    """The difference only where the ones are some of the others."""
    assert is_small(amounts) == small


@given(st.lists(PEOPLE, min_size=2, max_size=6))
def test_never_is_just_one_sibling_withheld(people: list[int]) -> None:
    """Else it could be had by subtraction; small ones always go, and no more than needed."""
    hidden = withheld([Amounts(each, None) for each in people])
    small = [1 <= each <= 4 for each in people]
    assert sum(hidden) != 1
    assert all(hide for hide, must in zip(hidden, small, strict=True) if must)
    assert sum(hidden) == (sum(small) if sum(small) != 1 else 2)


def test_the_next_smallest_goes_with_the_only_small_one() -> None:
    """One that is 0 only when there is no other."""
    assert withheld([Amounts(3, None), Amounts(9, None), Amounts(6, None)]) == [True, False, True]
    assert withheld([Amounts(3, None), Amounts(0, None), Amounts(60, None)]) == [True, False, True]
    assert withheld([Amounts(3, None), Amounts(0, None)]) == [True, True]
    assert withheld([Amounts(3, None)]) == [True]
