"""The kinds of faults: each is done at once, says so in words ("": it can't be done now), and is cured later."""

import random
import time
from collections.abc import Callable, Mapping

from chaos.poison import REFUSED, Poisoner
from chaos.proxy import Proxy
from chaos.rig import Rig
from chaos.ward import Ward
from infra.messaging.relay import LEASE_SECONDS
from infra.settings import PORTS
from infra.wording import counted

MOST_EXTRA_WORKERS = 3
MOST_MINUTES_WRONG = 5
PATIENCE_SECONDS = 240.0
"""So much longer than it should a fault lasts at the most, until its effect shows."""
UPSTREAM = ("mongodb", "kafka")
"""The proxies in front of MongoDB and the broker."""

MONGODB, BROKER, PHONES = {"mongod", "mongodb"}, {"broker", "kafka"}, "phones"
"""What is hurt where MongoDB, the broker, or a service can't be reached."""


class Faults:
    """overtaken: of workers frozen past their leases, whether another one took over. lost: answers that were, on
    their way to phones. furthest: by how much a clock ever ran ahead (seconds).
    """

    def __init__(self, rig: Rig, poisoner: Poisoner, rng: random.Random, ward: Ward) -> None:
        self._rig = rig
        self._poisoner = poisoner
        self._rng = rng
        self._ward = ward
        self.overtaken: list[bool] = []
        self.lost = 0
        self.furthest = 0

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
        if "kafka" in self._ward.hurt or (self._rig.embedded and "dead letters" in self._ward.hurt):
            return ""
        return self._kill_for_a_while("broker")

    def freeze_api(self) -> str:
        """An API stands still."""
        return self._freeze(self._rig.services("api"), self._rng.uniform(2, 6))

    def freeze_worker(self) -> str:
        """A worker stands still."""
        return self._freeze(self._rig.services("worker"), self._rng.uniform(2, 6))

    def freeze_past_lease(self) -> str:
        """A worker that publishes stands still until another one does it, and then goes on where it was."""
        if self._ward.hurt & MONGODB:
            return ""
        service = self._rng.choice(list(PORTS))
        holder = self._rig.relay_of(service)
        group = self._rig.freeze(holder) if holder and holder not in self._ward.hurt else None
        if holder is None or group is None:
            return ""
        others = [name for name in self._rig.workers(service) if name != holder]
        deputy = self._ward.free(others) or self._rig.add_worker(service)
        seconds = LEASE_SECONDS + 4
        give_up = time.monotonic() + seconds + PATIENCE_SECONDS

        def cure() -> str | None:
            heir = None if self._ward.hurt & MONGODB else self._rig.relay_of(service)
            overtaken = heir not in (None, holder)
            if not overtaken and time.monotonic() < give_up:
                return None
            self.overtaken.append(overtaken)
            self._rig.thaw(group)
            return f"SIGCONT {holder} ({heir if overtaken else 'nobody else'} publishes)"

        self._ward.later(seconds, cure, holder, deputy)
        return f"SIGSTOP {holder} for {seconds:.0f} s, longer than its lease; {deputy} runs, too"

    def freeze_mongod(self) -> str:
        """MongoDB stands still."""
        return self._freeze(["mongod"], self._rng.uniform(2, 6))

    def freeze_broker(self) -> str:
        """The broker stands still."""
        return self._freeze(["broker"], self._rng.uniform(2, 6))

    def _kill(self, names: list[str]) -> str:
        name = self._ward.free([name for name in names if self._rig.process(name).running])
        if name is None:
            return ""
        self._rig.kill(name)
        return f"kill -9 {name}"

    def _kill_for_a_while(self, name: str) -> str:
        if self._ward.free([name]) is None:
            return ""
        self._rig.kill(name)

        def cure() -> str:
            self._rig.start_again(name)
            return f"{name} is back"

        self._ward.later(self._rng.uniform(0.5, 2), cure, name)
        return f"kill -9 {name}"

    def _freeze(self, names: list[str], seconds: float) -> str:
        name = self._ward.free(names)
        group = self._rig.freeze(name) if name else None
        if name is None or group is None:
            return ""

        def cure() -> str:
            self._rig.thaw(group)
            return f"SIGCONT {name}"

        self._ward.later(seconds, cure, name)
        return f"SIGSTOP {name} for {seconds:.0f} s"

    # --- connections of services to MongoDB and the broker

    def cut(self) -> str:
        """All connections to MongoDB or the broker break."""
        name = self._rng.choice(UPSTREAM)
        count = getattr(self._rig, name).cut()
        return f"{counted(count, 'connection')} to {name} cut"

    def slow(self) -> str:
        """The way to MongoDB or the broker takes longer."""
        name = self._ward.free(UPSTREAM)
        if name is None:
            return ""
        delay, seconds = self._rng.uniform(0.01, 0.15), self._rng.uniform(3, 6)
        proxy = getattr(self._rig, name)
        proxy.slow(delay)

        def cure() -> str:
            proxy.slow(0)
            return f"the way to {name} is as fast as before"

        self._ward.later(seconds, cure, name)
        return f"every message to and from {name} takes {delay * 1000:.0f} ms longer for {seconds:.0f} s"

    def pull_cable(self) -> str:
        """Nothing gets through to MongoDB or the broker, and nobody is told."""
        name = self._ward.free(UPSTREAM)
        if name is None or (name == "kafka" and "broker" in self._ward.hurt):
            return ""
        seconds = self._rng.uniform(2, 6)
        proxy = getattr(self._rig, name)
        proxy.block()

        def cure() -> str:
            proxy.block(False)
            return f"{name} can be heard again"

        self._ward.later(seconds, cure, name)
        return f"nothing gets through to {name} for {seconds:.0f} s"

    # --- connections of phones to services

    def cut_off(self) -> str:
        """The lines of all phones break, whatever is on its way."""
        count = sum(door.cut() for door in self._rig.doors.values())
        return f"{counted(count, 'connection')} of phones cut" if count else ""

    def slow_phones(self) -> str:
        """The way from phones to services and back takes longer."""
        if PHONES in self._ward.hurt:
            return ""
        delay, seconds = self._rng.uniform(0.05, 0.5), self._rng.uniform(3, 6)
        self._at_doors(lambda door: door.slow(delay))

        def cure() -> str:
            self._at_doors(lambda door: door.slow(0))
            return "phones are as fast as before"

        self._ward.later(seconds, cure, PHONES)
        return f"every message of phones takes {delay * 1000:.0f} ms longer for {seconds:.0f} s"

    def lose_answers(self) -> str:
        """What phones send arrives and is done, but they are never told."""
        if PHONES in self._ward.hurt:
            return ""
        seconds, before = self._rng.uniform(1, 3), self._lost()
        give_up = time.monotonic() + seconds + PATIENCE_SECONDS
        self._at_doors(lambda door: door.lose_answers(True))

        def cure() -> str | None:
            lost = self._lost() - before
            if not lost and time.monotonic() < give_up:
                return None
            self._at_doors(lambda door: door.lose_answers(False))
            self.lost += lost
            return f"phones get their answers again; {lost} were lost"

        self._ward.later(seconds, cure, PHONES)
        return f"answers to phones are lost on their way for {seconds:.0f} s"

    def _at_doors(self, work: Callable[[Proxy], None]) -> None:
        for door in self._rig.doors.values():
            work(door)

    def _lost(self) -> int:
        return sum(door.lost for door in self._rig.doors.values())

    # --- the rest

    def jump(self) -> str:
        """The clocks of all processes go wrong by minutes, forward or back, each by its own."""
        wrong = {name: round(self._rng.uniform(-60, 60) * MOST_MINUTES_WRONG) for name in self._rig.clocks()}
        for name, offset in wrong.items():
            self._rig.set_clock(name, offset)
        self.furthest = max(self.furthest, *wrong.values())
        return f"the clocks jump: {', '.join(f'{name} {offset:+d} s' for name, offset in wrong.items())}"

    def add_worker(self) -> str:
        """One more worker of some service."""
        if len(self._rig.extra) >= MOST_EXTRA_WORKERS and not self.take_worker_away():
            return ""
        return f"{self._rig.add_worker(self._rng.choice(list(PORTS)))} is added"

    def take_worker_away(self) -> str:
        """A worker ends as it is ended in operation; one that belongs to the system comes back."""
        names = [name for name in self._rig.services("worker") if self._rig.process(name).running]
        extra = [name for name in names if name in self._rig.extra]
        name = self._ward.free(extra or names)
        if name is None:
            return ""
        self._rig.take_worker_away(name)
        return f"{name} is taken away"

    def refuse_dead_letters(self) -> str:
        """A message that nobody can read arrives while the dead letters can't be written."""
        if self._ward.hurt & {"dead letters", *BROKER}:
            return ""
        self._rig.kafka.refuse(REFUSED)
        poison = self._poisoner.send()
        if poison is None:
            self._rig.kafka.refuse("")
            return ""
        seconds = self._rng.uniform(8, 14)
        give_up = time.monotonic() + seconds + PATIENCE_SECONDS

        def cure() -> str | None:
            said = None if self._ward.hurt & BROKER else self._poisoner.look(poison)
            if said is None and time.monotonic() < give_up:
                return None
            self._rig.kafka.refuse("")
            return f"dead letters can be written again ({said or 'it could not be seen what became of it'})"

        self._ward.later(seconds, cure, "dead letters")
        return f"dead letters are refused; poison lies in sessions.events/{poison.partition}@{poison.offset}"


FAULTS: Mapping[str, Callable[[Faults], str]] = {
    "API killed": Faults.kill_api,
    "worker killed": Faults.kill_worker,
    "MongoDB killed": Faults.kill_mongod,
    "broker killed": Faults.kill_broker,
    "API frozen": Faults.freeze_api,
    "worker frozen": Faults.freeze_worker,
    "MongoDB frozen": Faults.freeze_mongod,
    "broker frozen": Faults.freeze_broker,
    "connections cut": Faults.cut,
    "connections slowed": Faults.slow,
    "cable pulled": Faults.pull_cable,
    "phones cut off": Faults.cut_off,
    "phones slowed": Faults.slow_phones,
    "answers lost": Faults.lose_answers,
    "clocks jumped": Faults.jump,
    "worker added": Faults.add_worker,
    "worker taken away": Faults.take_worker_away,
    "dead letters refused": Faults.refuse_dead_letters,
}

LEASE_FAULT = "worker frozen past its lease"
LASTING: Mapping[str, Callable[[Faults], str]] = {LEASE_FAULT: Faults.freeze_past_lease}
"""Those that take too long for a short storm."""
