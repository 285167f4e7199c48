"""Events that reporting publishes (none yet), and its own smaller readers of the others' events.

A reader names only what is counted here: unknown fields are passed over, a missing one makes the event
unreadable. Nothing personal is read beyond ids.
"""

from datetime import datetime
from typing import Literal

import msgspec

from infra.messaging.asyncapi import Published

PUBLISHED: tuple[Published, ...] = ()

CONSUMED = ("enrollment.events", "sessions.events")
"""The topics that are read, from their beginning."""


class UnitStateSeen(msgspec.Struct, frozen=True):
    """A unit from an instant on."""

    since: datetime = msgspec.field(name="from")
    name: str = ""
    kind: str = ""
    parent: str | None = None
    state: str = "active"


class UnitSeen(msgspec.Struct, frozen=True):
    """`unit.*`: a unit with its history."""

    code: str
    history: list[UnitStateSeen]


class StintSeen(msgspec.Struct, frozen=True):
    """An employee from an instant on."""

    since: datetime = msgspec.field(name="from")
    unit: str = ""
    active: bool = True


class SkillSeen(msgspec.Struct, frozen=True):
    """A level that an employee had from an instant on."""

    competency: str
    level: int
    since: datetime
    source: str
    endorsement_id: str | None = None


class EmployeeSeen(msgspec.Struct, frozen=True):
    """`employee.*`: where somebody was and what they could do."""

    id: str
    history: list[StintSeen]
    skills: list[SkillSeen] = []


class NeedStateSeen(msgspec.Struct, frozen=True):
    """A need from an instant on."""

    people: int
    level: int
    since: datetime = msgspec.field(name="from")


class NeedSeen(msgspec.Struct, frozen=True):
    """`need.*`: how many people at which level a unit needs."""

    unit: str
    competency: str
    history: list[NeedStateSeen]


class BatchSeen(msgspec.Struct, frozen=True):
    """`batch.*`: a training of representatives. starts_on: `YYYY-MM-DD`."""

    id: str
    starts_on: str


class StepSeen(msgspec.Struct, frozen=True):
    """A state of a participant, from an instant on."""

    state: str
    at: datetime


class ParticipantSeen(msgspec.Struct, frozen=True):
    """`participant.*`: an employee in a batch."""

    id: str
    batch_id: str
    employee_id: str
    own_unit: str
    state: str
    history: list[StepSeen]
    certified_at: datetime | None = None


class SessionSeen(msgspec.Struct, frozen=True):
    """`session.*`: one meeting of a pairing."""

    id: str
    learner_id: str
    kind: Literal["coaching", "mentoring"]
    status: str
    started_at: datetime
    minutes: int


class CreditSeen(msgspec.Struct, frozen=True):
    """`credit.*`: JP of one session, certificate or training. on: `YYYY-MM-DD`."""

    id: str
    learner_id: str
    on: str
    jp: int | None = None
