"""Faults at seeded random: each is drawn, done, and undone a little later, while others begin."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chaos.poison import REFUSED, Poisoner
from chaos.rig import Rig
from infra.settings import PORTS

LEASE_SECONDS = 20.0
MOST_EXTRA_WORKERS = 3
MOST_MINUTES_WRONG = 5
Cure = Callable[[], str]


@dataclass(frozen=True)
class Healing:
    """What is done when a fault has lasted long enough; `target` is not to be hurt until then."""

    due: float
    target: str
    cure: Cure


class Storm:
    """pause: shortest and longest time between two faults (seconds). told: gets a line for everything done."""

    def __init__(
        self, rig: Rig, poisoner: Poisoner, seed: int, pause: tuple[float, float], told: Callable[[str], None]
    ) -> None:
        self._rig = rig
        self._poisoner = poisoner
        self._rng = random.Random(seed)
        self._pause = pause
        self._told = told
        self._healing: list[Healing] = []
        self._deck: list[str] = []
        self.counts: Counter[str] = Counter()
        self.furthest = 0.0

    def blow(self, seconds: float) -> None:
        """One fault after the other for so long; then everything is healed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._strike()
            self._rest(min(end, time.monotonic() + self._rng.uniform(*self._pause)))
        for healing in sorted(self._healing, key=lambda each: each.due):
            self._told(healing.cure())
        self._healing.clear()

    def _strike(self) -> None:
        """The next card of the deck: every kind comes up before any comes again."""
        if not self._deck:
            self._deck = list(FAULTS)
            self._rng.shuffle(self._deck)
        kind = self._deck.pop()
        said = FAULTS[kind](self)
        if said:
            self.counts[kind] += 1
            self._told(said)
        else:
            # Not now, since what it would hurt is hurt already: its turn comes after the others.
            self._deck.insert(0, kind)

    def _rest(self, until: float) -> None:
        while True:
            now = time.monotonic()
            due = [each for each in self._healing if each.due <= now]
            for healing in due:
                self._healing.remove(healing)
                self._told(healing.cure())
            if now >= until:
                return
            time.sleep(min(0.1, until - now))

    def _later(self, seconds: float, target: str, cure: Cure) -> None:
        self._healing.append(Healing(time.monotonic() + seconds, target, cure))

    @property
    def _hurt(self) -> set[str]:
        """What something is wrong with now."""
        return {healing.target for healing in self._healing}

    def _free(self, names: list[str]) -> str | None:
        """One of those that nothing is wrong with; None when there is none."""
        well = [name for name in names if name not in self._hurt]
        return self._rng.choice(well) if well else None

    # --- processes

    def kill_api(self) -> str:
        """An API dies; its supervisor starts it again."""
        return self._kill(self._rig.services("api"))

    def kill_worker(self) -> str:
        """A worker dies, its relay included."""
        return self._kill(self._rig.services("worker"))

    def kill_mongod(self) -> str:
        """MongoDB dies and comes back a little later."""
        return self._kill_for_a_while("mongod")

    def kill_broker(self) -> str:
        """The broker dies and comes back; the embedded one has forgotten everything then.

        Not while nothing gets through to it: whether it is back is asked by the address that it gives to clients.
        """
        if "kafka" in self._hurt or (self._rig.embedded and "dead letters" in self._hurt):
            return ""
        return self._kill_for_a_while("broker")

    def freeze_api(self) -> str:
        """An API stands still."""
        return self._freeze(self._rig.services("api"), self._rng.uniform(2, 6))

    def freeze_worker(self) -> str:
        """A worker stands still, now and then for longer than its leases last."""
        seconds = self._rng.choice((3.0, 6.0, LEASE_SECONDS + 4))
        return self._freeze(self._rig.services("worker"), seconds)

    def freeze_mongod(self) -> str:
        """MongoDB stands still."""
        return self._freeze(["mongod"], self._rng.uniform(2, 6))

    def freeze_broker(self) -> str:
        """The broker stands still."""
        return self._freeze(["broker"], self._rng.uniform(2, 6))

    def _kill(self, names: list[str]) -> str:
        name = self._free(names)
        if name is None:
            return ""
        self._rig.kill(name)
        if name in self._rig.extra:
            del self._rig.extra[name]
        return f"kill -9 {name}"

    def _kill_for_a_while(self, name: str) -> str:
        if self._free([name]) is None:
            return ""
        self._rig.kill(name)

        def cure() -> str:
            self._rig.start_again(name)
            return f"{name} is back"

        self._later(self._rng.uniform(0.5, 2), name, cure)
        return f"kill -9 {name}"

    def _freeze(self, names: list[str], seconds: float) -> str:
        name = self._free(names)
        group = self._rig.freeze(name) if name else None
        if name is None or group is None:
            return ""

        def cure() -> str:
            self._rig.thaw(group)
            return f"SIGCONT {name}"

        self._later(seconds, name, cure)
        return f"SIGSTOP {name} for {seconds:.0f} s"

    # --- connections

    def cut(self) -> str:
        """All connections to MongoDB or the broker break."""
        name = self._rng.choice(("mongodb", "kafka"))
        count = getattr(self._rig, name).cut()
        return f"{count} connections to {name} are cut"

    def slow(self) -> str:
        """The way to MongoDB or the broker takes longer."""
        name = self._free(["mongodb", "kafka"])
        if name is None:
            return ""
        delay, seconds = self._rng.uniform(0.01, 0.15), self._rng.uniform(3, 6)
        proxy = getattr(self._rig, name)
        proxy.slow(delay)

        def cure() -> str:
            proxy.slow(0)
            return f"the way to {name} is as fast as before"

        self._later(seconds, name, cure)
        return f"every message to and from {name} takes {delay * 1000:.0f} ms longer for {seconds:.0f} s"

    def pull_cable(self) -> str:
        """Nothing gets through to MongoDB or the broker, and nobody is told."""
        name = self._free(["mongodb", "kafka"])
        if name is None or (name == "kafka" and "broker" in self._hurt):
            return ""
        seconds = self._rng.uniform(2, 6)
        proxy = getattr(self._rig, name)
        proxy.block()

        def cure() -> str:
            proxy.block(False)
            return f"{name} can be heard again"

        self._later(seconds, name, cure)
        return f"nothing gets through to {name} for {seconds:.0f} s"

    # --- the rest

    def jump(self) -> str:
        """The clocks of all services go wrong by minutes, forward or back."""
        offset = round(self._rng.uniform(-60, 60) * MOST_MINUTES_WRONG)
        self._rig.set_clock(offset)
        self.furthest = max(self.furthest, offset)
        return f"all clocks jump to {offset:+d} s"

    def add_worker(self) -> str:
        """One more worker of some service."""
        if len(self._rig.extra) >= MOST_EXTRA_WORKERS:
            return self.take_worker_away()
        return f"{self._rig.add_worker(self._rng.choice(list(PORTS)))} is added"

    def take_worker_away(self) -> str:
        """One worker fewer, where there are more than one."""
        if not self._rig.extra:
            return self.add_worker()
        name = self._free(list(self._rig.extra))
        if name is None:
            return ""
        self._rig.take_worker_away(name)
        return f"{name} is taken away"

    def refuse_dead_letters(self) -> str:
        """A message that nobody can read arrives while the dead letters can't be written."""
        if self._hurt & {"dead letters", "broker", "kafka"}:
            return ""
        self._rig.kafka.refuse(REFUSED)
        poison = self._poisoner.send()
        if poison is None:
            self._rig.kafka.refuse(b"")
            return ""

        def cure() -> str:
            said = "the broker can't be asked" if self._hurt & {"broker", "kafka"} else self._poisoner.look(poison)
            self._rig.kafka.refuse(b"")
            return f"dead letters can be written again ({said})"

        self._later(self._rng.uniform(8, 14), "dead letters", cure)
        return f"dead letters are refused; poison lies in sessions.events/{poison.partition}@{poison.offset}"


FAULTS: dict[str, Callable[[Storm], str]] = {
    "API killed": Storm.kill_api,
    "worker killed": Storm.kill_worker,
    "MongoDB killed": Storm.kill_mongod,
    "broker killed": Storm.kill_broker,
    "API frozen": Storm.freeze_api,
    "worker frozen": Storm.freeze_worker,
    "MongoDB frozen": Storm.freeze_mongod,
    "broker frozen": Storm.freeze_broker,
    "connections cut": Storm.cut,
    "connections slowed": Storm.slow,
    "cable pulled": Storm.pull_cable,
    "clocks jumped": Storm.jump,
    "worker added": Storm.add_worker,
    "worker taken away": Storm.take_worker_away,
    "dead letters refused": Storm.refuse_dead_letters,
}
