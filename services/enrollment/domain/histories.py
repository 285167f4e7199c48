"""Time in two dimensions: what took effect when, and in which order it was recorded (Programme rules, Time)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, Self, TypeVar

from infra.clock import day_of
from infra.problems import Refused, Text


class Dated(Protocol):
    """A part of a history that holds from `since` until the next part begins."""

    @property
    def since(self) -> datetime:
        """The instant from which it holds."""


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True)
class Times:
    """The two times of a change. now: when it is recorded. dated: whether somebody told when it took effect."""

    now: datetime
    effective_at: datetime
    dated: bool = True

    @property
    def today(self) -> date:
        """The day of the recording."""
        return day_of(self.now)

    def after(self, previous: datetime) -> Self:
        """For a record's next step. What nobody has dated takes effect at once, but not before the previous step:
        the clock by which that one was recorded may have run ahead of this one.
        """
        return self if self.dated else replace(self, effective_at=max(self.effective_at, previous))


def at(history: Sequence[D], instant: datetime) -> D | None:
    """The part in force at the instant: of those that had begun, the one recorded last; None before the first."""
    for part in reversed(history):
        if part.since <= instant:
            return part
    return None


def appended(history: Sequence[D], part: D) -> tuple[D, ...]:
    """The history with one more part. A part that begins together with the last one takes its place.

    Refuses with `effective-order` what would begin before the last part.
    """
    if not history:
        return (part,)
    in_order(part.since, history[-1].since)
    kept = history[:-1] if history[-1].since == part.since else history
    return (*kept, part)


def in_order(effective_at: datetime, previous: datetime) -> None:
    """Refuses with `effective-order` a step that is dated before the step recorded before it."""
    if effective_at < previous:
        raise Refused(
            "effective-order",
            Text(
                "Waktu berlaku mendahului langkah sebelumnya dari catatan ini.",
                "It would take effect before the previous step of this record.",
            ),
        )


def wrong_transition(current: str, to: str) -> Refused:
    """409 `transition`: the record's state doesn't lead there."""
    return Refused(
        "transition",
        Text("Dari keadaan '{current}' tidak dapat menjadi '{to}'.", "'{current}' can't become '{to}'.").format(
            current=current, to=to
        ),
    )


def not_active(who: Text) -> Refused:
    """409 `not-active`: the person was not in service at the effective time."""
    return Refused(
        "not-active",
        Text(f"{who.id} belum atau tidak aktif pada saat itu.", f"{who.en} was not active at that time."),
    )
