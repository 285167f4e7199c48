"""What was measured: readings of both sides in turn, and the ratio that they make."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

Aim = Literal["at least", "at most"]
"""Whether a larger or a smaller ratio is the better one."""


class Spread(msgspec.Struct, frozen=True):
    """Minimum, median and maximum of some readings."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one reading."""
        return cls(min(values), statistics.median(values), max(values))


class Goal(msgspec.Struct, frozen=True):
    """What the ratio is meant to be."""

    aim: Aim
    value: float

    def met_by(self, ratio: float) -> bool:
        """Whether a ratio reaches it."""
        return ratio >= self.value if self.aim == "at least" else ratio <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.aim == 'at least' else '<='} {self.value:g}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. ours, floor: readings in `unit`, in the order in which they were taken.

    about: what is measured over what. load: of the machine, over the last minute, when it began. of: which commit,
    on which MongoDB. notes: further readings, by name. limits: where the time goes, by name: shares of a core that
    each process used while it was measured, or of samples of a profile.
    """

    figure: str
    about: str
    unit: str
    ours: list[float]
    floor: list[float]
    goal: Goal | None = None
    at: datetime | None = None
    load: float | None = None
    of: str = ""
    notes: Mapping[str, object] = {}
    limits: Mapping[str, Mapping[str, float]] = {}

    @property
    def ratio(self) -> Spread:
        """Ours over the floor, repeat by repeat."""
        return Spread.of([mine / other for mine, other in zip(self.ours, self.floor, strict=True)])

    @property
    def met(self) -> bool | None:
        """Whether the median ratio reaches the goal; None where there is none."""
        return self.goal.met_by(self.ratio.median) if self.goal else None


def alternate(repeats: int, *sides: Callable[[int], float]) -> list[list[float]]:
    """Reads the sides in turn (A B A B A B), so that what changes on the machine meanwhile touches all alike.

    Each side gets the number of the repeat; gives the readings of each.
    """
    readings: list[list[float]] = [[] for _ in sides]
    for repeat in range(repeats):
        for side, found in zip(sides, readings, strict=True):
            found.append(side(repeat))
    return readings


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the others do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
