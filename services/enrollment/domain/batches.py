"""Batches: trainings of representatives, and the states that they pass through (Programme rules, Batch)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from infra.problems import Refused, Text

from . import histories
from .employees import Placement, PositionKind

BatchState = Literal["draft", "open", "closed", "running", "finished", "cancelled"]
NEXT: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"open", "cancelled"}),
    "open": frozenset({"closed", "cancelled"}),
    "closed": frozenset({"running", "cancelled"}),
    "running": frozenset({"finished", "cancelled"}),
    "finished": frozenset(),
    "cancelled": frozenset(),
}
HAPPENING = {
    "draft": "created",
    "open": "opened",
    "closed": "closed",
    "running": "started",
    "finished": "finished",
    "cancelled": "cancelled",
}
"""What the event of reaching a state is called."""


class BatchStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step. at: when it took effect. by: who made it."""

    state: BatchState
    at: datetime
    recorded_at: datetime
    by: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One training. jp: lesson hours that a certificate brings. echelons: `IV.b`, or `IV` for both of it."""

    id: str
    name: str
    starts_on: date
    ends_on: date
    venue: str
    seats: int
    seats_per_unit: int
    echelons: tuple[str, ...] = ()
    position_kinds: tuple[PositionKind, ...] = ()
    partners: tuple[str, ...] = ()
    jp: int | None = None
    state: BatchState = "draft"
    history: tuple[BatchStep, ...] = ()

    def overlaps(self, other: "Batch") -> bool:
        """Whether the two share a day."""
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on

    def takes(self, placement: Placement) -> bool:
        """Whether someone so placed is eligible: by echelon or kind of position; everybody when none is named."""
        if not self.echelons and not self.position_kinds:
            return True
        echelon = placement.echelon or ""
        by_echelon = echelon in self.echelons or echelon.split(".")[0] in self.echelons
        return by_echelon or placement.position_kind in self.position_kinds


def repeats(batch: Batch, to: BatchState, by: str) -> bool:
    """Whether the actor asks again for their own last step."""
    return to == batch.state and by == batch.history[-1].by


def moved(batch: Batch, to: BatchState, step: BatchStep, *, undecided: int) -> Batch:
    """The batch in its next state.

    undecided: participants merely accepted; while there are any, it can't finish.
    """
    if to not in NEXT[batch.state]:
        raise histories.wrong_transition(batch.state, to)
    if to == "finished" and undecided:
        raise Refused(
            "transition",
            Text(
                "Masih ada {n} peserta yang kehadirannya belum dicatat.",
                "The attendance of {n} participants hasn't been recorded yet.",
            ).format(n=undecided),
        )
    histories.in_order(step.at, batch.history[-1].at)
    return msgspec.structs.replace(batch, state=to, history=(*batch.history, step))
