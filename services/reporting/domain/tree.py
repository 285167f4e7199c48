"""The tree of units as it was on each day, and the placements in it.

A placement is the path of unit codes from the root, joined by `/`, which no code may hold:
`36.71/36.71.01/36.71.01.1004`. A change of a unit counts for the whole day on which it takes effect.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.reporting.domain.periods import DAWN

SEPARATOR = "/"
COVERED_KINDS = frozenset({"agency", "district", "village"})
"""The kinds of units that a representative can cover (Programme rules, KPIs)."""


class UnitState(msgspec.Struct, frozen=True):
    """What a unit was from the day `since` on."""

    since: str
    name: str
    kind: str
    parent: str | None
    active: bool


class Unit(msgspec.Struct, frozen=True):
    """A unit with its dated history, in order; there is at least one state."""

    code: str
    history: tuple[UnitState, ...]


class Tree:
    """All units, and where each of them stood on each day. `version` counts its changes."""

    def __init__(self, units: Iterable[Unit], version: int = 0) -> None:
        self.version = version
        self._states = {unit.code: unit.history for unit in units if unit.history}
        self._days = {code: [state.since for state in states] for code, states in self._states.items()}
        self._timelines: dict[str, list[tuple[str, str | None]]] = {}

    def knows(self, code: str) -> bool:
        """Whether there is or ever was such a unit."""
        return code in self._states

    def state(self, code: str, day: str) -> UnitState | None:
        """The unit at the end of the day; None when it is unknown or not there yet."""
        at = bisect_right(self._days.get(code, []), day) - 1
        return self._states[code][at] if at >= 0 else None

    def is_closed(self, code: str, day: str) -> bool:
        """Whether the unit has been closed by the end of the day."""
        state = self.state(code, day)
        return state is not None and not state.active

    def name(self, code: str) -> str:
        """The unit's newest name; its code when it is unknown."""
        states = self._states.get(code)
        return states[-1].name if states else code

    def root(self, day: str) -> str | None:
        """The code of the unit without a parent: the city."""
        return next((code for code in sorted(self._states) if self._parent(code, day) is None), None)

    def path(self, code: str, day: str) -> str | None:
        """The placement of the unit on that day; None while it or a unit above is unknown.

        Before its own beginning a unit stands where it first stood, so that nothing is counted nowhere.
        """
        chain: list[str] = []
        at: str | None = code
        while at is not None:
            if at in chain or at not in self._states:
                return None
            chain.append(at)
            at = self._parent(at, day)
        return SEPARATOR.join(reversed(chain))

    def timeline(self, code: str) -> list[tuple[str, str | None]]:
        """The unit's placements, each with the day from which it holds; the first holds since DAWN."""
        if code not in self._timelines:
            steps: list[tuple[str, str | None]] = []
            for day in sorted({DAWN, *self._days_that_matter(code)}):
                path = self.path(code, day)
                if not steps or steps[-1][1] != path:
                    steps.append((day, path))
            self._timelines[code] = steps
        return self._timelines[code]

    def active_units(self, day: str, kinds: frozenset[str], top: str) -> dict[str, str]:
        """Placement by code of the active units of these kinds at `top` and below, at the end of the day."""
        found = {}
        for code in self._states:
            state = self.state(code, day)
            if state is not None and state.active and state.kind in kinds:
                path = self.path(code, day)
                if path is not None and is_within(path, top):
                    found[code] = path
        return found

    def nearest(self, code: str, day: str, kinds: frozenset[str]) -> str | None:
        """The unit itself or the closest one above it that is of one of the kinds on that day."""
        path = self.path(code, day)
        for each in reversed(path.split(SEPARATOR) if path else []):
            state = self.state(each, day)
            if state is not None and state.kind in kinds:
                return each
        return None

    def codes(self, day: str, top: str) -> list[str]:
        """The codes of `top` and all that is active below it at the end of the day, in the tree's order."""
        paths = []
        for code in self._states:
            state = self.state(code, day)
            path = self.path(code, day)
            if state is not None and state.active and path is not None and is_within(path, top):
                paths.append(path.split(SEPARATOR))
        return [path[-1] for path in sorted(paths)]

    def _parent(self, code: str, day: str) -> str | None:
        at = max(bisect_right(self._days[code], day) - 1, 0)
        return self._states[code][at].parent

    def _days_that_matter(self, code: str) -> set[str]:
        days: set[str] = set()
        seen: set[str] = set()
        waiting = [code]
        while waiting:
            each = waiting.pop()
            if each not in seen and each in self._states:
                seen.add(each)
                days.update(self._days[each])
                waiting += [state.parent for state in self._states[each] if state.parent is not None]
        return days


def is_within(path: str, unit: str) -> bool:
    """Whether the placement lies in the unit or below it."""
    return unit in path.split(SEPARATOR)


def last_of_day(states: Sequence[UnitState]) -> tuple[UnitState, ...]:
    """The states in order, of each day only the last, and without those that change nothing."""
    by_day: Mapping[str, UnitState] = {state.since: state for state in states}
    kept: list[UnitState] = []
    for day in sorted(by_day):
        state = by_day[day]
        if not kept or msgspec.structs.replace(state, since=kept[-1].since) != kept[-1]:
            kept.append(state)
    return tuple(kept)
