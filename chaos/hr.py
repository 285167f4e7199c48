"""HR during a storm: at one desk more pairings are proposed than people may have, at another more people nominated
than there are seats.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from chaos.city import AGENCIES, CHIEFS, CITY, STAFF, TARGET, TECHNIQUE, nip_of
from chaos.line import Answer, Line
from chaos.phones import ASSESSED, Office

HANDS = 4
"""Requests of one desk under way at once."""

GUIDE_CAP, LEARNER_CAP = 5, 2
SEATS, SEATS_PER_UNIT = 5, 2
FIRST_BATCH_DAYS, BATCH_DAYS = 400, 4
"""Batches begin after the years that are recounted, one after the other: nobody's dates overlap."""

EARLY, WITHDRAWN = 12, 3
"""So many are nominated before so many of the accepted withdraw; the others are meanwhile."""

PAUSE_SECONDS = 0.5


class Places:
    """What is taken for certain at one time, by what the services have answered. blame: told of every excess."""

    def __init__(self, blame: Callable[[str], None]) -> None:
        self._blame = blame
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def take(self, what: str, key: Hashable, most: int) -> None:
        """One more has it, as was answered."""
        with self._lock:
            self._taken[key] += 1
            if self._taken[key] > most:
                self._blame(f"{what}: {self._taken[key]} at one time, and there may be {most}")

    def leave(self, key: Hashable) -> None:
        """One fewer may have it, since that is about to be asked for."""
        with self._lock:
            self._taken[key] -= 1


class _Desk:
    """states: what was answered last, by id."""

    def __init__(self, office: Office, seed: str) -> None:
        self._office = office
        self._book = office.notebook
        self._rng = random.Random(seed)
        self._places = Places(self._book.blame)
        self._lines: dict[tuple[int, str], Line] = {}
        self.states: dict[str, str] = {}
        self.rounds = 0

    def run(self) -> None:
        """Works until told to stop; a round that was begun is brought to its end."""
        with ThreadPoolExecutor(HANDS) as hands:
            while not self._office.stop.wait(PAUSE_SECONDS):
                self._round(hands)
                self.rounds += 1

    def _round(self, hands: ThreadPoolExecutor) -> None:
        raise NotImplementedError

    def _line(self, sub: str = "") -> Line:
        """The line of this thread with this employee's token, or with HR's."""
        place = (threading.get_ident(), sub)
        if place not in self._lines:
            dial = self._office.dial
            self._lines[place] = dial("enrollment", sub) if sub else dial("enrollment", "hr-portal", "hr")
        return self._lines[place]

    def _create(self, path: str, body: dict[str, Any], key: str) -> str | None:
        """The id of what HR has made; a repeat under the same key must not make another one."""
        answer = self._line().ask("POST", path, body, key=key)
        if not answer.good:
            self._book.blame(f"POST {path} was refused: {answer.rule}")
            return None
        self.states[answer.body["id"]] = answer.body["state"]
        return str(answer.body["id"])

    def _move(self, path: str, to: str, sub: str = "", expected: Sequence[str] = ()) -> Answer:
        """The answer to a step, which is noted; a refusal by another rule than expected is a broken promise."""
        answer = self._line(sub).ask("POST", f"{path}/transitions", {"to": to})
        if answer.good:
            self.states[answer.body["id"]] = answer.body["state"]
        else:
            self._book.refuse(answer.rule)
            if answer.rule not in expected:
                self._book.blame(f"{to} of {path} was refused: {answer.rule}")
        return answer


@dataclass(frozen=True)
class Seat:
    """Who was given one, where."""

    participant: str
    batch: str
    unit: str


@dataclass(frozen=True)
class _Wish:
    guide: str
    learner: str


class PairingDesk(_Desk):
    """Three guides, who have room for five each, want the same twelve learners, who have room for one more."""

    def _round(self, hands: ThreadPoolExecutor) -> None:
        agencies = AGENCIES[self.rounds % 4], AGENCIES[(self.rounds + 1) % 4]
        wishes = [
            wish for guide in (CITY, "") for agency in agencies for wish in self._wishes(guide or agency, agency)
        ]
        # In the first round one guide comes first with all twelve: that one is full, and so are those learners.
        if self.rounds:
            self._rng.shuffle(wishes)
        made = list(hands.map(self._pair, wishes))
        list(hands.map(self._part, made, wishes))

    def _wishes(self, guide: str, agency: str) -> Iterator[_Wish]:
        ids = self._office.city.ledger.ids
        for chief in range(1, CHIEFS + 1):
            # Those who are assessed are through with their first pairing before the storm is over.
            for number in range(ASSESSED, STAFF):
                yield _Wish(ids[nip_of(guide, 0)], ids[nip_of(agency, chief * 10 + number)])

    def _pair(self, wish: _Wish) -> str | None:
        body = {
            "kind": "mentoring",
            "guide_id": wish.guide,
            "learner_id": wish.learner,
            "competency": TECHNIQUE,
            "target_level": TARGET,
            "due_on": (self._office.city.today + timedelta(days=90)).isoformat(),
        }
        pairing = self._create("/pairings", body, f"{self.rounds}-{wish.guide}-{wish.learner}")
        if pairing is None:
            return None
        self._move(f"/pairings/{pairing}", "accepted", wish.learner)
        answer = self._move(f"/pairings/{pairing}", "accepted", wish.guide, ("guide-full", "learner-full"))
        if answer.good:
            self._places.take("active pairings of a guide", wish.guide, GUIDE_CAP)
            # With the one that each of them has had from the beginning.
            self._places.take("active pairings of a learner beside the first", wish.learner, LEARNER_CAP - 1)
        return pairing

    def _part(self, pairing: str | None, wish: _Wish) -> None:
        if pairing is None:
            return
        active = self.states[pairing] == "active"
        if active:
            self._places.leave(wish.guide)
            self._places.leave(wish.learner)
        self._move(f"/pairings/{pairing}", "ended" if active else "declined", wish.guide)


class BatchDesk(_Desk):
    """Twenty are nominated for five seats, two a unit; some of the accepted withdraw, and others move up."""

    def __init__(self, office: Office, seed: str) -> None:
        super().__init__(office, seed)
        self.batches: list[str] = []

    def _round(self, hands: ThreadPoolExecutor) -> None:
        batch = self._create("/batches", self._body(), f"batch-{self.rounds}")
        if batch is None:
            return
        self.batches.append(batch)
        self._move(f"/batches/{batch}", "open")
        people = [nip_of(unit, 10 + number) for unit in AGENCIES for number in range(STAFF)]
        self._rng.shuffle(people)
        first, late = people[:EARLY], people[EARLY:]
        accepted = [each for each in hands.map(partial(self._nominate, batch), first) if each]
        withdrawn = self._rng.sample(accepted, min(WITHDRAWN, len(accepted)))
        work = [
            *(partial(self._withdraw, each) for each in withdrawn),
            *(partial(self._nominate, batch, each) for each in late),
        ]
        self._rng.shuffle(work)
        list(hands.map(lambda one: one(), work))

    def _body(self) -> dict[str, Any]:
        first = self._office.city.today + timedelta(days=FIRST_BATCH_DAYS + BATCH_DAYS * self.rounds)
        return {
            "name": f"Angkatan {self.rounds + 2}",
            "starts_on": first.isoformat(),
            "ends_on": (first + timedelta(days=BATCH_DAYS - 1)).isoformat(),
            "venue": "Sawangan, Depok",
            "seats": SEATS,
            "seats_per_unit": SEATS_PER_UNIT,
            "position_kinds": ["operational"],
            "partners": [],
        }

    def _nominate(self, batch: str, nip: str) -> Seat | None:
        """The seat that was given to the person; None for a place on the waiting list."""
        person = self._office.city.ledger.ids[nip]
        body = {"employee_id": person, "reason": "Berpotensi."}
        participant = self._create(f"/batches/{batch}/participants", body, f"{batch}-{person}")
        answer = self._move(f"/participants/{participant}", "accepted") if participant else None
        if participant is None or answer is None or not answer.good or answer.body["state"] != "accepted":
            return None
        seat = Seat(participant, batch, answer.body["unit"])
        self._places.take("seats of a batch", batch, SEATS)
        self._places.take("seats of a unit", (batch, seat.unit), SEATS_PER_UNIT)
        return seat

    def _withdraw(self, seat: Seat) -> None:
        self._places.leave(seat.batch)
        self._places.leave((seat.batch, seat.unit))
        self._move(f"/participants/{seat.participant}", "withdrawn")
