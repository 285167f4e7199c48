"""Years, quarters and months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.periods import (
    GRAINS,
    Grain,
    between,
    day_after,
    following,
    key_of,
    known,
    parse,
    previous,
    standing,
)
from services.reporting.wording import label_of

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("2016", "2016-01-01", "2016-12-31"),
        ("2016-Q1", "2016-01-01", "2016-03-31"),
        ("2016-Q4", "2016-10-01", "2016-12-31"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("1900-02", "1900-02-01", "1900-02-28"),
    ],
)
def test_a_period_knows_its_first_and_last_day(key: str, first: str, last: str) -> None:
    """Leap years included."""
    period = known(key)
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize(
    "key", ["", "16", "2016-Q5", "2016-Q0", "2016-13", "2016-00", "2016-1", "0000", "２０１６", "2016\n"]
)
def test_what_is_no_period_is_none(key: str) -> None:
    """Neither near misses nor digits of other scripts."""
    assert parse(key) is None


@given(day=DAYS, grain=st.sampled_from(GRAINS))
def test_every_day_lies_in_just_one_period_of_each_grain(day: date, grain: Grain) -> None:
    """The period of the day after is the same one or the following."""
    text = day.isoformat()
    period = known(key_of(text, grain))
    assert period.first <= text <= period.last
    after = key_of((day + timedelta(days=1)).isoformat(), grain)
    assert after in (period.key, following(period.key))
    assert (after == period.key) == (text < period.last)


@given(day=DAYS, grain=st.sampled_from(GRAINS))
def test_previous_and_following_undo_each_other(day: date, grain: Grain) -> None:
    """Keys sort as time passes."""
    period = known(key_of(day.isoformat(), grain))
    before = previous(period)
    assert before is not None
    assert following(before.key) == period.key
    assert before.key < period.key
    assert day_after(before.last) == period.first


def test_periods_between_two_days() -> None:
    """Both ends included."""
    assert [period.key for period in between("quarter", "2016-03-31", "2016-07-01")] == [
        "2016-Q1",
        "2016-Q2",
        "2016-Q3",
    ]
    assert between("month", "2017-01-01", "2016-01-01") == []


def test_a_stock_stands_at_the_end_or_now() -> None:
    """Whichever is earlier."""
    assert standing(known("2016"), "2017-02-03") == "2016-12-31"
    assert standing(known("2017"), "2017-02-03") == "2017-02-03"


def test_labels_are_what_people_say() -> None:
    """In both languages."""
    assert label_of(known("2016-05")) == ("Mei 2016", "May 2016")
    assert label_of(known("2016-Q2")) == ("Triwulan 2 2016", "Quarter 2 2016")
    assert label_of(known("2016")) == ("2016", "2016")
