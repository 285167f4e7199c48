"""Employees: a dated history of where they are, and dated levels in competencies."""

from datetime import datetime
from typing import Literal

import msgspec

from . import histories

Status = Literal["pns", "cpns", "pppk"]
PositionKind = Literal["structural", "functional", "operational"]
SkillSource = Literal["import", "hr", "mastery"]
ECHELONS = ("I.a", "I.b", "II.a", "II.b", "III.a", "III.b", "IV.a", "IV.b", "V.a")
MASTERED = 3
"""Level 3: does it alone."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where someone was, under whom and as what, from `since` on."""

    since: datetime = msgspec.field(name="from")
    unit: str
    supervisor_id: str | None = None
    active: bool = True
    status: Status
    position: str | None = None
    position_kind: PositionKind | None = None
    echelon: str | None = None


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """A level in a competency from `since` on. endorsement_id: the endorsement that gave it, if one did."""

    competency: str
    level: int
    since: datetime
    source: SkillSource
    endorsement_id: str | None = None


class Employee(msgspec.Struct, frozen=True, kw_only=True):
    """A person. id: random, since anything derived from the NIP could be traced back to it.

    skills: all levels ever recorded, by `since`, then in the order of recording.
    """

    id: str
    nip: str
    name: str
    email: str | None = None
    phone: str | None = None
    history: tuple[Placement, ...]
    skills: tuple[Skill, ...] = ()

    @property
    def now(self) -> Placement:
        """The placement recorded last: nothing takes effect in the future."""
        return self.history[-1]

    def at(self, instant: datetime) -> Placement | None:
        """The placement at the instant; None before the time that created the employee."""
        return histories.at(self.history, instant)

    def was_active(self, instant: datetime) -> bool:
        """Whether the person was in service at the instant."""
        placement = self.at(instant)
        return placement is not None and placement.active

    def level(self, competency: str, instant: datetime) -> int:
        """The level at the instant, 0 when none was recorded by then."""
        skill = histories.at([s for s in self.skills if s.competency == competency], instant)
        return skill.level if skill else 0

    def levels(self) -> dict[str, Skill]:
        """The level in force now of every competency ever recorded."""
        return {skill.competency: skill for skill in self.skills}


def placed(employee: Employee, placement: Placement, *, renamed: bool = False) -> Employee:
    """The employee with this placement; the same when it says nothing new. Refuses with `effective-order`.

    renamed: the name or an address is new, which is a dated step also where the person stays in place.
    """
    if not renamed and msgspec.structs.replace(placement, since=employee.now.since) == employee.now:
        return employee
    return msgspec.structs.replace(employee, history=histories.appended(employee.history, placement))


def with_level(employee: Employee, skill: Skill) -> Employee:
    """The employee with a level that HR declares; the same when it is the level in force already.

    Refuses with `effective-order` what is dated before the last record of that competency.
    """
    last = employee.levels().get(skill.competency)
    if last is not None and last.level == skill.level:
        return employee
    if last is not None:
        histories.in_order(skill.since, last.since)
    return _with_skills(employee, skill)


def with_mastery(employee: Employee, skill: Skill) -> Employee:
    """The employee with an endorsed level from `skill.since` on; the same when it brings nothing.

    It never lowers a level. Lower levels recorded for a later time are raised too, from that time on: what was
    endorsed was reached before them.
    """
    if any(known.endorsement_id == skill.endorsement_id for known in employee.skills):
        return employee
    same = [known for known in employee.skills if known.competency == skill.competency]
    moments = [skill.since, *(known.since for known in same if known.since > skill.since)]
    missing = [
        msgspec.structs.replace(skill, since=moment)
        for moment in dict.fromkeys(moments)
        if employee.level(skill.competency, moment) < skill.level
    ]
    return _with_skills(employee, *missing)


def _with_skills(employee: Employee, *skills: Skill) -> Employee:
    ordered = sorted((*employee.skills, *skills), key=lambda skill: skill.since)
    return msgspec.structs.replace(employee, skills=tuple(ordered))
