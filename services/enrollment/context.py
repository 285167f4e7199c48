"""What every use case works with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pymongo.client_session import ClientSession

from infra.actor import Actor, system_actor
from infra.clock import Clock
from infra.storage.aggregates import Change, Lane
from infra.storage.guards import transaction

from .domain import access
from .domain.histories import Times
from .domain.pairings import Limits
from .domain.units import Tree
from .store import Store

T = TypeVar("T")

SYSTEM = system_actor("enrollment")
UNITS = "units"
"""Guard of the organisation tree."""
PEOPLE = "people"
"""Guard of who exists, where, and under whom."""


class When(Times):
    """The two times of a change, which makes one of them."""

    def change(self, kind: str, actor: Actor, *, note: str | None = None, lane: Lane = "live") -> Change:
        """What happened then."""
        return Change(type=kind, actor=actor, at=self.now, effective_at=self.effective_at, note=note, lane=lane)


@dataclass(frozen=True)
class Context:
    """The store, the clock and the city's settings."""

    store: Store
    clock: Clock
    limits: Limits = field(default_factory=Limits)

    def when(self, effective_at: datetime | None = None) -> When:
        """Now, in effect from `effective_at` or at once."""
        now = self.clock()
        return When(now, effective_at or now, dated=effective_at is not None)

    def alone(self, keys: Iterable[str], work: Callable[[ClientSession], T]) -> T:
        """Runs `work` in a transaction, alone among all that name one of the same keys."""
        return transaction(self.store.database, keys, work)

    def tree(self) -> Tree:
        """The organisation today."""
        return self.store.tree(self.clock())

    def scope(self, actor: Actor) -> frozenset[str]:
        """An officer's or leader's unit and all below it, today."""
        if actor.unit is None or not actor.has("officer", "leader"):
            return frozenset()
        return self.tree().below(actor.unit)

    def sight(self, actor: Actor, *, reports: bool = True) -> access.Sight:
        """Whose records the actor may read. reports: whether a supervisor sees the reports."""
        if access.sees_everything(actor):
            return access.Sight(everything=True)
        own = actor.sub if actor.has("employee") else None
        return access.Sight(
            units=self.scope(actor) if actor.has("officer") else frozenset(),
            own=own,
            reports=self.store.reports(own) if own and reports else frozenset(),
        )


def employee_key(employee_id: str) -> str:
    """Guard of one person's places: seats, pairings, approvals."""
    return f"employee:{employee_id}"


def batch_key(batch_id: str) -> str:
    """Guard of one batch's seats."""
    return f"batch:{batch_id}"
