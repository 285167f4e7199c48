"""Competencies, what units need of them, and the gap between need and people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from . import histories

Aspect = Literal["attitude", "technique"]


class Competency(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be learned. id: its code. aspect: `attitude` for coaching, `technique` for mentoring."""

    id: str
    name: str
    name_en: str | None = None
    aspect: Aspect
    description: str | None = None


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """How many people a unit needs at which level, from `since` on; 0 people end the need."""

    since: datetime = msgspec.field(name="from")
    people: int
    level: int


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit needs of one competency. id: derived from both codes."""

    id: str
    unit: str
    competency: str
    history: tuple[Demand, ...]

    @property
    def now(self) -> Demand:
        """The demand in force."""
        return self.history[-1]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """People whom a unit has and misses at a level. Counted are its own active people, nobody of units below."""

    unit: str
    competency: str
    level: int
    needed: int
    have: int
    missing: int


def put_need(need: Need | None, id_: str, unit: str, competency: str, demand: Demand) -> Need:
    """The need with this demand; the same when nothing would change. Refuses with `effective-order`."""
    if need is None:
        return Need(id=id_, unit=unit, competency=competency, history=(demand,))
    if (need.now.people, need.now.level) == (demand.people, demand.level):
        return need
    return msgspec.structs.replace(need, history=histories.appended(need.history, demand))


def gap(need: Need, levels: Mapping[int, int]) -> Gap | None:
    """What the unit misses; None when nothing. levels: level -> the unit's active people exactly at it."""
    demand = need.now
    have = sum(people for level, people in levels.items() if level >= demand.level)
    if demand.people <= have:
        return None
    return Gap(
        unit=need.unit,
        competency=need.competency,
        level=demand.level,
        needed=demand.people,
        have=have,
        missing=demand.people - have,
    )
