"""The NIP in all its forms."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain import nip

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("raw", "status", "good"),
    [
        ("198609262015051001", "pns", True),
        ("19860926 201505 1 001", "pns", True),
        ("1986.0926.2015.05.1.001", "pns", True),
        ("1986-0926\u00a02015\u201105 1 001", "pns", True),
        ("'198609262015051001", "pns", True),
        ("\u2019198609262015051001", "cpns", True),
        ("198602302015051001", "pns", False),
        ("199702292019031001", "pns", False),
        ("199602292019031001", "pns", True),
        ("198609262015131001", "pns", False),
        ("198609262015001001", "cpns", False),
        ("198609262021211001", "pppk", True),
        ("198609262021001001", "pppk", True),
        ("198609262015053001", "pns", False),
        ("198609262015050001", "pns", False),
        ("198609262015051000", "pns", False),
        ("198609262015051999", "pns", True),
        ("130123456", "pns", False),
        ("1.98609E+17", "pns", False),
        ("198609262015051O01", "pns", False),
        ("１９８６０９２６２０１５０５１００９", "pns", False),
        ("²98609262015051001", "pns", False),
        ("202611242026111001", "pns", True),
        ("202611252026111001", "pns", False),
        ("000001012015051001", "pns", False),
        ("", "pns", False),
    ],
)
def test_what_is_a_nip(raw: str, status: str, good: bool) -> None:
    """Each part for itself: birth, appointment, sex, serial."""
    assert (nip.fault(nip.normalise(raw), status, TODAY) is None) is good


born = st.dates(date(1950, 1, 1), TODAY)
months = st.integers(1, 12)
rest = st.tuples(st.sampled_from("12"), st.integers(1, 999))


@given(born, st.integers(1970, 2026), months, rest)
def test_every_number_built_by_the_rule_is_one(day: date, year: int, month: int, tail: tuple[str, int]) -> None:
    """And none of its parts may be left out."""
    number = f"{day:%Y%m%d}{year:04d}{month:02d}{tail[0]}{tail[1]:03d}"
    assert nip.fault(number, "pns", TODAY) is None
    for place in range(18):
        assert nip.fault(number[:place] + number[place + 1 :], "pns", TODAY) is not None


@given(st.text(max_size=30))
def test_any_text_is_judged_and_its_content_kept_out_of_the_answer(raw: str) -> None:
    """Nothing breaks the reading, and no message quotes what was given."""
    bare = nip.normalise(raw)
    assert nip.normalise(bare) == bare or bare[:1] in ("'", "\u2019")
    found = nip.fault(bare, "pns", TODAY)
    assert found is None or len(bare) < 4 or bare not in found.en


@given(st.integers(1, 4000))
def test_nobody_is_born_tomorrow(days: int) -> None:
    """However far in the future."""
    number = f"{TODAY + timedelta(days=days):%Y%m%d}2015051001"
    assert nip.fault(number, "pns", TODAY) is not None
