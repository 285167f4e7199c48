"""Dated histories of units, employees and needs."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.problems import Refused
from services.enrollment.domain import competencies, histories, units
from services.enrollment.domain.competencies import Demand, Need
from services.enrollment.domain.employees import (
    Employee,
    Placement,
    Skill,
    SkillSource,
    placed,
    with_level,
    with_mastery,
)
from services.enrollment.domain.units import Tree, UnitForm
from tests.unit.enrollment.people import CITY, TREE, person, t, unit

instants = st.integers(0, 60).map(lambda days: t(2020) + timedelta(days=days))


@given(st.lists(instants, min_size=1))
def test_a_history_is_in_order_whatever_is_tried(times: list[datetime]) -> None:
    """What would come before the last part is refused; what begins with it takes its place."""
    history: tuple[Placement, ...] = ()
    for number, since in enumerate(times):
        part = Placement(since=since, unit=str(number), status="pns")
        if history and since < history[-1].since:
            with pytest.raises(Refused, match="effective-order"):
                histories.appended(history, part)
            continue
        history = histories.appended(history, part)
        assert histories.at(history, since) == part
    assert all(a.since < b.since for a, b in pairwise(history))
    assert histories.at(history, history[0].since - timedelta(seconds=1)) is None


def test_a_placement_that_says_nothing_new_changes_nothing() -> None:
    """Whatever its date."""
    one = person("a")
    assert placed(one, Placement(since=t(2010), unit="DISDIK", status="pns")) is one
    moved = placed(one, Placement(since=t(2018), unit="KEC", status="pns"))
    assert [(moved.at(t(2017)) or moved.now).unit, moved.now.unit] == ["DISDIK", "KEC"]
    assert not one.was_active(t(2015))


def level(competency: str, at: int, since: datetime, endorsement: str | None = None) -> Skill:
    """A level, by mastery when there is an endorsement."""
    source: SkillSource = "mastery" if endorsement else "import"
    return Skill(competency=competency, level=at, since=since, source=source, endorsement_id=endorsement)


records = st.lists(st.tuples(st.integers(0, 4), instants, st.booleans()), max_size=8)


@given(records, st.integers(1, 4), instants)
def test_from_the_session_on_one_has_what_was_endorsed(
    earlier: list[tuple[int, datetime, bool]], reached: int, since: datetime
) -> None:
    """At every time since then; no level of any time is lowered, and a repeat changes nothing."""
    one = person("a")
    for number, (at, when, mastery) in enumerate(earlier):
        if mastery:
            one = with_mastery(one, level("c", at, when, str(number)))
        elif not one.skills or when >= one.skills[-1].since:
            one = with_level(one, level("c", at, when))
    after = with_mastery(one, level("c", reached, since, "new"))
    for day in range(62):
        moment = t(2020) + timedelta(days=day)
        expected = max(one.level("c", moment), reached if moment >= since else 0)
        assert after.level("c", moment) == expected
    assert with_mastery(after, level("c", reached, since, "new")) == after
    assert [skill.since for skill in after.skills] == sorted(skill.since for skill in after.skills)


def test_hr_declares_levels_in_the_order_of_time() -> None:
    """The same level again is no change; an earlier date than the last record's is refused."""
    one = with_level(person("a"), level("c", 2, t(2020)))
    assert with_level(one, level("c", 2, t(2021))) is one
    with pytest.raises(Refused, match="effective-order"):
        with_level(one, level("c", 3, t(2019)))
    assert with_level(one, level("c", 1, t(2021))).level("c", t(2022)) == 1


def test_the_tree_of_a_day() -> None:
    """A unit that moved is where it was then; before its first record it counts as it was first."""
    moved = units.put(
        unit("KEL", "KEC", "village"), "KEL", UnitForm(since=t(2020), name="KEL", kind="village", parent="DISDIK")
    )
    others = [one for one in CITY if one.id != "KEL"]
    for when, above in ((t(2010), "KEC"), (t(2019), "KEC"), (t(2020), "DISDIK")):
        tree = Tree([*others, moved], when)
        assert tree.covers(above, "KEL")
        assert "KEL" in tree.below(above)


@pytest.mark.parametrize(
    ("code", "seat"),
    [("DISDIK-1", "DISDIK"), ("DISDIK", "DISDIK"), ("KEL", "KEL"), ("KEC", "KEC"), ("CITY", "CITY"), ("?", "?")],
)
def test_seats_are_counted_at_the_nearest_agency_district_or_village(code: str, seat: str) -> None:
    """Or at the unit itself, where there is none above it."""
    assert TREE.seat_unit(code) == seat


def changed(code: str, parent: str | None, since: datetime = t(2020)) -> units.Unit:
    """A unit of the city, moved below another."""
    known = {one.id: one for one in CITY}
    return units.put(known.get(code), code, UnitForm(since=since, name=code, kind="agency", parent=parent))


@pytest.mark.parametrize(
    ("code", "parent", "rule"),
    [
        ("KEC", "KEL", "unit-cycle"),
        ("KEC", "KEC", "unit-cycle"),
        ("NEW", "NEW", "unit-cycle"),
        ("KEC", None, "unit-root"),
        ("KEC", "NOWHERE", "unit-unknown"),
    ],
)
def test_the_units_stay_one_tree(code: str, parent: str | None, rule: str) -> None:
    """One root, no circle, no unknown parent."""
    with pytest.raises(Refused, match=rule):
        units.check_tree({one.id: one for one in CITY}, changed(code, parent))


def test_a_circle_in_the_past_is_one_too() -> None:
    """Two moves that fit today, dated so that they would cross."""
    moved = units.put(CITY[3], "KEC", UnitForm(since=t(2020), name="KEC", kind="district", parent="DISDIK"))
    known = {one.id: one for one in CITY} | {"KEC": moved}
    crossing = units.put(known["DISDIK"], "DISDIK", UnitForm(since=t(2019), name="D", kind="agency", parent="KEC"))
    with pytest.raises(Refused, match="unit-cycle"):
        units.check_tree(known, crossing)


def test_a_closed_unit_is_no_place_any_more() -> None:
    """It can't be changed, nor have a unit put below it; closing it again changes nothing."""
    closed = units.close(CITY[3], t(2020), in_use=False)
    assert units.close(closed, t(2021), in_use=True) is closed
    with pytest.raises(Refused, match="transition"):
        units.put(closed, "KEC", UnitForm(since=t(2021), name="Baru", kind="district", parent="CITY"))
    with pytest.raises(Refused, match="unit-closed"):
        units.check_tree({one.id: one for one in CITY} | {"KEC": closed}, changed("NEW", "KEC", t(2021)))
    with pytest.raises(Refused, match="unit-in-use"):
        units.close(CITY[3], t(2020), in_use=True)


def need(people: int, at: int) -> Need:
    """A need of one demand."""
    return competencies.put_need(None, "n", "DISDIK", "c", Demand(since=t(2020), people=people, level=at))


@given(st.integers(0, 9), st.integers(1, 4), st.dictionaries(st.integers(0, 4), st.integers(0, 5)))
def test_a_gap_is_what_is_missing_at_that_level_or_above(people: int, at: int, levels: dict[int, int]) -> None:
    """Nothing when nothing is missing."""
    have = sum(number for reached, number in levels.items() if reached >= at)
    found = competencies.gap(need(people, at), levels)
    assert (found.missing if found else 0) == max(0, people - have)


def test_a_need_ends_with_nobody_needed() -> None:
    """And is the same when it is stated again."""
    one = need(2, 3)
    assert competencies.put_need(one, "n", "DISDIK", "c", Demand(since=t(2021), people=2, level=3)) is one
    ended = competencies.put_need(one, "n", "DISDIK", "c", Demand(since=t(2021), people=0, level=3))
    assert [demand.people for demand in ended.history] == [2, 0]
    assert competencies.gap(ended, {}) is None


def test_an_employee_is_frozen() -> None:
    """State is replaced, never changed in place."""
    with pytest.raises(AttributeError):
        person("a").name = "b"  # type: ignore[misc]
    assert isinstance(person("a"), Employee)
