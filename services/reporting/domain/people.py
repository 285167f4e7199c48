"""What is known of one person, and where they were on each day.

Happenings go by days on which the person was active at any moment, in the last unit of that day; stocks by the
end of the day (docs/decisions/0031).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from services.reporting.domain.periods import day_after
from services.reporting.domain.tree import Tree

MASTERED = "mastery"


class Stint(msgspec.Struct, frozen=True, array_like=True):
    """From `since` on the person was in the unit, active or not."""

    since: str
    unit: str
    active: bool


class Skill(msgspec.Struct, frozen=True, array_like=True):
    """From `since` on the person had the level. `at` is the instant as it was told, `id` the endorsement's."""

    since: str
    competency: str
    level: int
    source: str
    at: str
    id: str | None


class Place(msgspec.Struct, frozen=True, array_like=True):
    """From `since` on the person's happenings belong to `path`; None while their unit is not in the tree."""

    since: str
    path: str | None
    active: bool


class Person(msgspec.Struct, frozen=True):
    """One person with all that is counted by sets of placements.

    seq: of the newest employee event, 0 while only their sessions are known. tree: version of the tree by which
    `places` were found. reached: confirmed sessions by month and placement, on active days. jp: by month. Both by
    year, since they get ever more and news concern a year or two; years that no news concern may be left out.
    """

    id: str
    seq: int = 0
    tree: int = 0
    history: tuple[Stint, ...] = ()
    skills: tuple[Skill, ...] = ()
    places: tuple[Place, ...] = ()
    reached: dict[str, dict[tuple[str, str], int]] = {}
    jp: dict[str, dict[str, int]] = {}


def by_day(history: Sequence[Stint]) -> tuple[Stint, ...]:
    """The stints by which happenings go: who leaves during a day was still there on that day."""
    steps: list[Stint] = []
    for stint in history:
        before = stint_on(steps, stint.since)
        leaves = not stint.active and before is not None and before.active
        since = day_after(stint.since) if leaves else stint.since
        while steps and steps[-1].since >= since:
            steps.pop()
        steps.append(Stint(since, stint.unit, stint.active))
    return tuple(steps)


def by_end_of_day(history: Sequence[Stint]) -> tuple[Stint, ...]:
    """The stints by which stocks go: of each day only the last."""
    return tuple({stint.since: stint for stint in history}.values())


def places_of(history: Sequence[Stint], tree: Tree) -> tuple[Place, ...]:
    """The person's placements by the tree of each day, in order."""
    steps: list[Place] = []
    stints = by_day(history)
    for number, stint in enumerate(stints):
        until = stints[number + 1].since if number + 1 < len(stints) else None
        timeline = tree.timeline(stint.unit)
        first = max(bisect_right(timeline, stint.since, key=_since) - 1, 0)
        for since, path in timeline[first:]:
            if until is not None and since >= until:
                break
            place = Place(max(since, stint.since), path, stint.active)
            if not steps or (steps[-1].path, steps[-1].active) != (path, stint.active):
                steps.append(place)
    return tuple(steps)


def _since(step: tuple[str, str | None]) -> str:
    return step[0]


def place_on(places: Sequence[Place], day: str) -> tuple[str | None, bool]:
    """The placement on that day and whether the person was active on it; (None, False) before all."""
    # From the newest on: most days that are asked for are new, and nobody has many places.
    for place in reversed(places):
        if place.since <= day:
            return place.path, place.active
    return None, False


def stint_on(history: Iterable[Stint], day: str) -> Stint | None:
    """Unit and activity at the end of that day."""
    found = None
    for stint in history:
        if stint.since <= day:
            found = stint
    return found


class Mastery(msgspec.Struct, frozen=True):
    """An endorsed rise of a level. unit: the person's own on that day; path: the placement for the figures."""

    id: str
    person: str
    day: str
    at: str
    unit: str
    path: str
    competency: str
    level: int
    before: int


def masteries_of(person: Person) -> dict[str, Mastery]:
    """The person's masteries by id, as far as their placement is known."""
    found: dict[str, Mastery] = {}
    levels: dict[str, int] = {}
    for number, skill in enumerate(person.skills):
        before = levels.get(skill.competency, 0)
        levels[skill.competency] = skill.level
        path, _ = place_on(person.places, skill.since)
        if skill.source == MASTERED and path is not None:
            id_ = skill.id or f"{person.id}.{number}"
            unit = path.rsplit("/", 1)[-1]
            mastery = Mastery(
                id_, person.id, skill.since, skill.at, unit, path, skill.competency, skill.level, before
            )
            # Later records of the same endorsement only keep up its level where a lower one was recorded.
            found.setdefault(id_, mastery)
    return found
