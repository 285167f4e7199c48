"""The tree of each day, and where people stood in it."""

import pytest

from services.reporting.domain.people import (
    Person,
    Place,
    Skill,
    Stint,
    by_day,
    masteries_of,
    place_on,
    places_of,
)
from services.reporting.domain.tree import Tree, Unit, UnitState, last_of_day


def unit(code: str, kind: str, *steps: tuple[str, str | None], closed: str | None = None) -> Unit:
    states = [UnitState(since, code, kind, parent, active=True) for since, parent in steps]
    if closed:
        states.append(UnitState(closed, code, kind, steps[-1][1], active=False))
    return Unit(code, tuple(states))


TREE = Tree(
    [
        unit("C", "city", ("2016-01-01", None)),
        unit("A", "agency", ("2016-01-01", "C")),
        unit("B", "agency", ("2016-01-01", "C"), closed="2018-01-01"),
        unit("S", "section", ("2016-02-01", "A"), ("2017-01-01", "B")),
    ]
)


@pytest.mark.parametrize(
    ("code", "day", "path"),
    [
        ("C", "2016-05-01", "C"),
        ("S", "2016-12-31", "C/A/S"),
        ("S", "2017-01-01", "C/B/S"),
        ("S", "2015-01-01", "C/A/S"),
        ("X", "2016-05-01", None),
    ],
)
def test_the_path_is_that_of_the_day(code: str, day: str, path: str | None) -> None:
    """A change counts for the whole day; before its beginning a unit stands where it first stood."""
    assert TREE.path(code, day) == path


def test_a_path_is_unknown_while_a_unit_above_is() -> None:
    """Events come in any order; a ring, too, is only on its way to being none."""
    assert Tree([unit("A", "agency", ("2016-01-01", "C"))]).path("A", "2016-05-01") is None
    ring = Tree([unit("A", "agency", ("2016-01-01", "B")), unit("B", "agency", ("2016-01-01", "A"))])
    assert ring.path("A", "2016-05-01") is None
    assert ring.timeline("A") == [("0001-01-01", None)]


def test_only_active_units_can_be_covered_or_chosen() -> None:
    """At the end of the day, in the unit asked for and below."""
    kinds = frozenset({"agency"})
    assert TREE.active_units("2017-12-31", kinds, "C") == {"A": "C/A", "B": "C/B"}
    assert TREE.active_units("2018-01-01", kinds, "C") == {"A": "C/A"}
    assert TREE.active_units("2015-12-31", kinds, "C") == {}
    assert TREE.codes("2017-06-01", "B") == ["B", "S"]
    assert TREE.nearest("S", "2016-06-01", kinds) == "A"
    assert TREE.nearest("C", "2016-06-01", kinds) is None


def test_of_a_day_only_the_last_state_stays() -> None:
    """And of equal ones in a row only the first."""
    states = [
        UnitState("2016-01-01", "A", "agency", "C", active=True),
        UnitState("2016-01-01", "A", "agency", "D", active=True),
        UnitState("2016-03-01", "A", "agency", "D", active=True),
    ]
    assert last_of_day(states) == (states[1],)


def test_who_leaves_during_a_day_was_there_on_that_day() -> None:
    """From the next day on they are not; coming back on the same day is as if they had not left."""
    stays = [Stint("2016-02-01", "A", active=True), Stint("2016-05-10", "A", active=False)]
    assert by_day(stays)[-1] == Stint("2016-05-11", "A", active=False)
    back = [*stays, Stint("2016-05-10", "B", active=True)]
    assert by_day(back) == (stays[0], back[2])
    still_away = [*stays, Stint("2016-05-10", "B", active=False)]
    assert by_day(still_away) == (stays[0], Stint("2016-05-11", "B", active=False))


def test_places_follow_the_person_and_the_tree() -> None:
    """The section goes to another agency, then the person leaves the section."""
    history = [Stint("2016-03-01", "S", active=True), Stint("2017-06-01", "A", active=True)]
    places = places_of(history, TREE)
    assert places == (
        Place("2016-03-01", "C/A/S", active=True),
        Place("2017-01-01", "C/B/S", active=True),
        Place("2017-06-01", "C/A", active=True),
    )
    assert place_on(places, "2016-02-28") == (None, False)
    assert place_on(places, "2017-05-31") == ("C/B/S", True)


def test_a_mastery_knows_the_level_before_and_the_unit_of_its_day() -> None:
    """An import between two masteries counts as the level before the second."""
    skills = (
        Skill("2016-04-01", "surat", 1, "import", "2016-04-01T00:00:00Z", None),
        Skill("2016-05-01", "surat", 2, "mastery", "2016-05-01T00:00:00Z", "e1"),
        Skill("2017-02-01", "surat", 4, "mastery", "2017-02-01T00:00:00Z", "e2"),
    )
    person = Person("p", skills=skills, places=places_of([Stint("2016-03-01", "S", active=True)], TREE))
    found = masteries_of(person)
    assert {id_: (each.before, each.level, each.unit, each.path) for id_, each in found.items()} == {
        "e1": (1, 2, "S", "C/A/S"),
        "e2": (2, 4, "S", "C/B/S"),
    }


def test_a_mastery_counts_on_its_own_day_though_it_raises_a_later_lower_level_too() -> None:
    """Enrollment tells of one endorsement in two records then; it was reached once, before the import."""
    skills = (
        Skill("2016-04-01", "surat", 3, "mastery", "2016-04-01T00:00:00Z", "e1"),
        Skill("2016-05-01", "surat", 1, "import", "2016-05-01T00:00:00Z", None),
        Skill("2016-05-01", "surat", 3, "mastery", "2016-05-01T00:00:00Z", "e1"),
    )
    person = Person("p", skills=skills, places=places_of([Stint("2016-03-01", "S", active=True)], TREE))
    found = [(each.id, each.day, each.before, each.level) for each in masteries_of(person).values()]
    assert found == [("e1", "2016-04-01", 0, 3)]
