"""Needs of units and what is missing of them (Programme rules, Needs and gaps)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from services.reporting.domain.people import Mastery

Steps = Mapping[tuple[str, str], Sequence[tuple[str, int, int]]]
"""For unit and competency: from which day on how many more or fewer people have exactly which level."""


class NeedState(msgspec.Struct, frozen=True):
    """From the day `since` on, `people` are needed at `level` or above; 0 people end the need."""

    since: str
    at: datetime
    people: int
    level: int


class Need(msgspec.Struct, frozen=True):
    """What a unit needs in one competency, with its dated history, in order."""

    id: str
    unit: str
    competency: str
    history: tuple[NeedState, ...]

    def on(self, day: str) -> NeedState | None:
        """The need in force at the end of the day, if there is one."""
        state = None
        for each in self.history:
            if each.since <= day:
                state = each
        return state if state is not None and state.people > 0 else None


class Gap(msgspec.Struct, frozen=True):
    """One need on one day. missing_before: what was missing at the end of the period before; at: of the need."""

    need: str
    unit: str
    competency: str
    level: int
    needed: int
    have: int
    missing: int
    missing_before: int
    at: datetime


def have_of(steps: Steps, need: Need, level: int, day: str) -> int:
    """Active people of just that unit at that level or above, at the end of the day."""
    of_unit = steps.get((need.unit, need.competency), ())
    return sum(people for since, each, people in of_unit if since <= day and each >= level)


def missing_of(steps: Steps, need: Need, day: str) -> int:
    """People still missing at the end of the day; 0 without a need."""
    state = need.on(day)
    return max(0, state.people - have_of(steps, need, state.level, day)) if state is not None else 0


def gap_of(need: Need, day: str, steps: Steps, missing_before: int) -> Gap | None:
    """The need as a line of the list of gaps, with zeros; None when it is not in force on the day."""
    state = need.on(day)
    if state is None:
        return None
    have = have_of(steps, need, state.level, day)
    return Gap(
        need=need.id,
        unit=need.unit,
        competency=need.competency,
        level=state.level,
        needed=state.people,
        have=have,
        missing=max(0, state.people - have),
        missing_before=missing_before,
        at=state.at,
    )


def closing(masteries: Iterable[Mastery], needs: Iterable[Need]) -> list[Mastery]:
    """The masteries that lift the learner to the level that the unit needs on that day, from below it."""
    by_place = {(need.unit, need.competency): need for need in needs}
    return [each for each in masteries if _closes(each, by_place.get((each.unit, each.competency)))]


def _closes(mastery: Mastery, need: Need | None) -> bool:
    state = need.on(mastery.day) if need is not None else None
    return state is not None and mastery.before < state.level <= mastery.level
