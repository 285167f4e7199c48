"""Faults at seeded random: each is drawn, done, and undone a little later, while others begin."""

import random
import time
from collections import Counter
from collections.abc import Callable

from chaos.faults import FAULTS, LASTING, Faults
from chaos.poison import Poisoner
from chaos.rig import Rig
from chaos.ward import Ward

LONG_SECONDS = 120.0
"""From so long a storm on, lasting faults are dealt, too."""
LONGEST_PAUSE = 4.0
_SHARE = 0.8
"""The part of a short storm in which every kind of fault should have come up once."""
_OVERTIME_SECONDS = 240.0


class Storm:
    """seconds: how long it is to last, at least. told: gets a line for everything done.

    counts: how often each kind of fault was dealt. faults: what they met.
    """

    def __init__(
        self, rig: Rig, poisoner: Poisoner, seed: int, seconds: float, told: Callable[[str], None]
    ) -> None:
        self._rng = random.Random(seed)
        self._ward = Ward(self._rng, told)
        self.faults = Faults(rig, poisoner, self._rng, self._ward)
        self._kinds = {**FAULTS, **(LASTING if seconds >= LONG_SECONDS else {})}
        # Between two faults (seconds), in the mean.
        self._pause = min(LONGEST_PAUSE, _SHARE * seconds / len(self._kinds))
        self._told = told
        self._deck: list[str] = []
        self.counts: Counter[str] = Counter(dict.fromkeys(self._kinds, 0))

    @property
    def never(self) -> list[str]:
        """Kinds that have not been dealt yet."""
        return [kind for kind, count in self.counts.items() if not count]

    def blow(self, seconds: float) -> None:
        """One fault after the other for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._strike()
            self._rest()

    def end(self) -> None:
        """Deals what had no chance yet, and returns when all is healed, each in its time."""
        give_up = time.monotonic() + _OVERTIME_SECONDS
        while self.never and time.monotonic() < give_up:
            self._strike()
            self._rest()
        self._ward.heal_all()

    def _strike(self) -> None:
        """The next card of the deck: every kind comes up before any comes again."""
        if not self._deck:
            self._deck = list(self._kinds)
            self._rng.shuffle(self._deck)
        kind = self._deck.pop()
        said = self._kinds[kind](self.faults)
        if said:
            self.counts[kind] += 1
            self._told(said)
        else:
            # Not now, since what it would hurt is hurt already: its turn comes after the others.
            self._deck.insert(0, kind)

    def _rest(self) -> None:
        self._ward.rest(self._rng.uniform(0.5, 1.5) * self._pause)
