"""What this service knows of pairings and people, from enrollment's events."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct, field

Kind = Literal["coaching", "mentoring"]


class PairingStep(Struct, frozen=True, kw_only=True):
    """The pairing is in `state` from `at` on."""

    state: str
    at: datetime


class Pairing(Struct, frozen=True, kw_only=True):
    """Guide, learner and what the guidance is for. history: dated, in the order of recording."""

    id: str
    kind: Kind
    guide_id: str
    learner_id: str
    competency: str
    target_level: int
    state: str
    due_on: date | None = None
    guide_accepted: bool = False
    learner_accepted: bool = False
    escalated: bool = False
    active_at: datetime | None = None
    ended_at: datetime | None = None
    history: tuple[PairingStep, ...] = ()

    def is_overdue(self, today: date) -> bool:
        """Whether the due date has passed without mastery, or the proposal has met with silence."""
        if self.state == "active":
            return self.due_on is not None and self.due_on < today
        return self.state == "proposed" and self.escalated

    def active_on(self, instant: datetime) -> bool:
        """Whether the guidance was going on at the instant, whatever has become of it since."""
        if not self.history:
            begun = self.active_at is not None and self.active_at <= instant
            return begun and (self.ended_at is None or instant < self.ended_at)
        past = [step.state for step in self.history if step.at <= instant]
        return bool(past) and past[-1] == "active"

    def role_of(self, person: str) -> Literal["guide", "learner"] | None:
        """What the person is in this pairing, if anything."""
        if person == self.guide_id:
            return "guide"
        return "learner" if person == self.learner_id else None


class Placement(Struct, frozen=True, kw_only=True):
    """Where an employee belongs from an instant on."""

    since: datetime = field(name="from")
    unit: str
    supervisor_id: str | None = None
    active: bool = True


class SkillRecord(Struct, frozen=True, kw_only=True):
    """A level that an employee has in a competency from an instant on."""

    competency: str
    level: int
    since: datetime


class Employee(Struct, frozen=True, kw_only=True):
    """One person's dated placements and skills; no name."""

    id: str
    active: bool = True
    history: tuple[Placement, ...] = ()
    skills: tuple[SkillRecord, ...] = ()

    def placement_at(self, instant: datetime) -> Placement | None:
        """The placement in force at the instant; None before the person was known."""
        past = [placement for placement in self.history if placement.since <= instant]
        return past[-1] if past else None

    def supervisor_at(self, instant: datetime) -> str | None:
        """Who supervised the person at the instant."""
        placement = self.placement_at(instant)
        return placement.supervisor_id if placement else None

    def active_at(self, instant: datetime) -> bool:
        """Whether the person was in service at the instant."""
        placement = self.placement_at(instant)
        return placement is not None and placement.active

    def levels_at(self, instant: datetime) -> dict[str, int]:
        """The level in each competency at the instant: the last record counts."""
        known = [skill for skill in self.skills if skill.since <= instant]
        return {skill.competency: skill.level for skill in sorted(known, key=lambda skill: skill.since)}


class Participation(Struct, frozen=True, kw_only=True):
    """An employee's part in a batch, as far as its certificate earns JP."""

    id: str
    batch_id: str
    employee_id: str
    state: str
    certified_at: datetime | None = None
