"""Batches, participants and representatives, as far as figures are made of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from services.reporting.domain.people import Stint, stint_on
from services.reporting.domain.tree import COVERED_KINDS, Tree, is_within

FUNNEL: Mapping[str, frozenset[str] | None] = {
    "nominated": None,
    "accepted": frozenset({"accepted", "attended", "absent", "certified", "not_certified"}),
    "attended": frozenset({"attended", "certified", "not_certified"}),
    "certified": frozenset({"certified"}),
}
"""The present states that a part of the funnel counts: each with all beyond it; None: every one."""


class Batch(msgspec.Struct, frozen=True):
    """One training. starts_on: its first day."""

    id: str
    starts_on: str


class Step(msgspec.Struct, frozen=True):
    """A state of a participant and when it took effect."""

    state: str
    at: datetime


class Participant(msgspec.Struct, frozen=True):
    """An employee in a batch. unit: the own unit. certified_day: None unless certified now."""

    id: str
    batch_id: str
    person: str
    unit: str
    state: str
    history: tuple[Step, ...]
    certified_day: str | None
    certified_at: datetime | None

    def reached(self, part: str) -> datetime | None:
        """When the participant first came into a state that this part counts."""
        states = FUNNEL[part]
        return next((step.at for step in self.history if states is None or step.state in states), None)


def counts_in(participant: Participant, part: str) -> bool:
    """Whether the participant, as they stand now, belongs to the part of the funnel."""
    states = FUNNEL[part]
    return states is None or participant.state in states


class Representative(msgspec.Struct, frozen=True):
    """An active, certified person on a certain day, in their own unit of that day."""

    participant: str
    person: str
    unit: str
    at: datetime


def representatives_on(
    certified: Iterable[tuple[Participant, Sequence[Stint]]], tree: Tree, day: str, top: str
) -> list[Representative]:
    """The active ones of the certified, at `top` and below at the end of the day, each person once.

    certified: with where each was; latest first, so that of two certificates the first is named.
    """
    found: dict[str, Representative] = {}
    for each, stints in certified:
        if each.certified_at is None or each.certified_day is None or each.certified_day > day:
            continue
        stint = stint_on(stints, day)
        path = tree.path(stint.unit, day) if stint is not None and stint.active else None
        if stint is not None and path is not None and is_within(path, top):
            found[each.person] = Representative(each.id, each.person, stint.unit, each.certified_at)
    return list(found.values())


def covered_units(
    tree: Tree, representatives: Iterable[Representative], day: str, top: str
) -> dict[str, Representative | None]:
    """The active agencies, districts and villages at `top` and below, each with who covers it, if anybody.

    A representative covers only the nearest such unit, from the own one upwards; the first certified is named.
    """
    units: dict[str, Representative | None] = dict.fromkeys(tree.active_units(day, COVERED_KINDS, top))
    for each in sorted(representatives, key=lambda one: (one.at, one.participant)):
        nearest = tree.nearest(each.unit, day, COVERED_KINDS)
        if nearest is not None and nearest in units and units[nearest] is None:
            units[nearest] = each
    return units
