"""Dividing and rounding."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.kpis import KPIS, divided, figure, name_of


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
