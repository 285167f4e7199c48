"""What a learner has reached, and whether supervisors see to it (Programme rules, Duty)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from .copies import Employee
from .session import Session

DUTY_WINDOW = timedelta(days=90)


class Assessment(Struct, frozen=True, kw_only=True):
    """A level that a confirmed session saw; a guide's word, not an endorsed one."""

    session_id: str
    at: datetime
    level: int


class Level(Struct, frozen=True, kw_only=True):
    """Where a person stands in a competency. level: the endorsed one, as enrollment keeps it."""

    competency: str
    level: int
    assessed: tuple[Assessment, ...] = ()


def levels(employee: Employee | None, confirmed: Iterable[Session], now: datetime) -> list[Level]:
    """The person's levels by competency, with what their confirmed sessions assessed, oldest first."""
    reached = employee.levels_at(now) if employee else {}
    assessed: dict[str, list[Assessment]] = {}
    for one in sorted(confirmed, key=lambda session: (session.started_at, session.id)):
        if one.assessed_level is not None:
            seen = Assessment(session_id=one.id, at=one.started_at, level=one.assessed_level)
            assessed.setdefault(one.competency, []).append(seen)
    return [
        Level(competency=code, level=reached.get(code, 0), assessed=tuple(assessed.get(code, ())))
        for code in sorted(reached.keys() | assessed.keys())
    ]


class Duty(Struct, frozen=True, kw_only=True):
    """Whether one direct report was guided in the last 90 days, and by whom."""

    met: bool
    by: Literal["own", "delegated"] | None = None
    last_at: datetime | None = None


def duty(supervisor_id: str, sessions: Iterable[Session], now: datetime) -> Duty:
    """The duty towards one report. sessions: the report's confirmed ones; own goes before delegated."""
    recent = [one for one in sessions if now - DUTY_WINDOW <= one.started_at <= now]
    own = [one for one in recent if one.guide_id == supervisor_id]
    counted = own or recent
    if not counted:
        return Duty(met=False)
    last = max(one.started_at for one in counted)
    return Duty(met=True, by="own" if own else "delegated", last_at=last)
