"""What is hurt at the moment, and when it is healed."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

ONCE_MORE_SECONDS = 1.0
Cure = Callable[[], str | None]
"""Undoes a fault and says so in words; None while it is too early, since the fault has not shown its effect."""


@dataclass(frozen=True)
class Healing:
    """What is done when a fault has lasted long enough; `targets` are not to be hurt until then."""

    due: float
    targets: tuple[str, ...]
    cure: Cure


class Ward:
    """told: gets a line for everything that is healed."""

    def __init__(self, rng: random.Random, told: Callable[[str], None]) -> None:
        self._rng = rng
        self._told = told
        self._healing: list[Healing] = []

    def later(self, seconds: float, cure: Cure, *targets: str) -> None:
        """Cures these after so many seconds."""
        self._healing.append(Healing(time.monotonic() + seconds, targets, cure))

    @property
    def hurt(self) -> set[str]:
        """What something is wrong with now."""
        return {target for healing in self._healing for target in healing.targets}

    def free(self, names: Sequence[str]) -> str | None:
        """One of those that nothing is wrong with; None when there is none."""
        well = [name for name in names if name not in self.hurt]
        return self._rng.choice(well) if well else None

    def rest(self, seconds: float) -> None:
        """Lets so much time pass, and heals whatever is due meanwhile."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self._heal_due(now)
            time.sleep(max(0.0, min(0.1, until - time.monotonic())))

    def heal_all(self) -> None:
        """Returns when all is healed, each in its time."""
        while self._healing:
            self._heal_due(time.monotonic())
            time.sleep(0.1)

    def _heal_due(self, now: float) -> None:
        for healing in [each for each in self._healing if each.due <= now]:
            said = healing.cure()
            self._healing.remove(healing)
            if said is None:
                self._healing.append(replace(healing, due=time.monotonic() + ONCE_MORE_SECONDS))
            else:
                self._told(said)
