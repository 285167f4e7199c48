"""Phones that post without pause: guides their sessions, learners their answers, supervisors their word."""

import queue
import random
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from time import monotonic
from typing import Any

from chaos.city import DAYS, TARGET, City, Pair
from chaos.line import Answer, Dial, Line
from chaos.notebook import Notebook
from infra.clock import JAKARTA, to_wire

HALF_HOURS = 48
_STRIDE = 44_497
"""Has no factor in common with the number of half hours: all of them come up, far apart from each other."""

ROOM = DAYS * HALF_HOURS - 100
"""So many half hours may be used by one guide, in a storm of any length."""

ASSESSED = 2
"""So many learners of each guide show in the end what they can do."""

SPARE = 1.2
"""So much longer than the storm the half hours are to last: phones bring to an end what they have begun."""

_OFTEN = (50, 25, 8, 7, 5, 5)
"""How often, of a hundred times, a phone does what: in the order of `GuidesPhone.run`."""

Posted = tuple[str, Pair, dict[str, Any]]
"""A session's id, whose it is, and its body."""


@dataclass(frozen=True)
class Office:
    """What everybody needs who asks a service. stop: set when nothing new is to be begun."""

    city: City
    notebook: Notebook
    dial: Dial
    stop: threading.Event


class GuidesPhone:
    """One guide: posts sessions of the own pairings until told to stop, each until it is answered.

    pace: how long each half hour of the past has to last (seconds), so that there is room until the storm is over.
    """

    def __init__(self, office: Office, pairs: Sequence[Pair], seed: str, pace: float) -> None:
        self._office = office
        self._book = office.notebook
        self._pairs = pairs
        # Faults change what is answered, never what is posted.
        self._rng = random.Random(seed)
        self._line, self._second = office.dial("sessions", pairs[0].guide), office.dial("sessions", pairs[0].guide)
        self._pace = pace
        self._posted: list[Posted] = []
        self._number = 0

    def run(self, assess: threading.Event) -> None:
        """Works until told to stop. assess: from then on some learners show what they can do."""
        assessed, began = False, monotonic()
        ways = (self._one, self._bulk, self._twins, self._again, self._correct, self._late)
        while not self._office.stop.wait(max(0.0, began + self._number * self._pace - monotonic())):
            if self._number >= ROOM:
                self._book.blame(f"a guide has used up all {ROOM} half hours, and posts nothing any more")
                break
            if assess.is_set() and not assessed:
                self._assess()
                assessed = True
            self._rng.choices(ways, _OFTEN)[0]()
        if not assessed:
            self._assess()
        self._line.close()
        self._second.close()

    # --- what is posted

    def _next(self) -> Posted:
        pair = self._pairs[self._number % len(self._pairs)]
        place = self._number * _STRIDE % (DAYS * HALF_HOURS)
        self._number += 1
        day = self._office.city.today - timedelta(days=2 + place // HALF_HOURS)
        start = datetime.combine(day, time(), JAKARTA) + timedelta(minutes=30 * (place % HALF_HOURS))
        return self._session(pair, start, minutes=self._rng.choice((20, 30, 30, 30)))

    def _session(self, pair: Pair, start: datetime, minutes: int, level: int | None = None) -> Posted:
        body = {
            "pairing_id": pair.id,
            "status": "held",
            "started_at": to_wire(start),
            "minutes": minutes,
            "place": "on_the_job",
            "summary": f"Latihan ke-{self._number}",
            **({} if level is None else {"assessed_level": level}),
        }
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4)), pair, body

    # --- how

    def _one(self) -> None:
        """One session, as soon as it is over."""
        posted = self._next()
        if self._note(posted, self._put(self._line, posted)):
            self._posted.append(posted)

    def _bulk(self) -> None:
        """A queue that has grown while the phone was offline."""
        items = [self._next() for _ in range(self._rng.randint(3, 15))]
        sessions = [{"id": id_, **body} for id_, _, body in items]
        answer = self._line.ask("POST", "/sync", {"sessions": sessions, "transitions": []})
        if not answer.good:
            self._book.blame(f"a whole queue was refused: {answer.rule}")
            return
        for (id_, pair, body), result in zip(items, answer.body["results"], strict=True):
            if result["status"] == "refused":
                self._book.refuse(result["problem"]["rule"])
                self._book.blame(f"session {id_} of a queue was refused: {result['problem']['rule']}")
            else:
                self._book.stored(pair, id_, body, result["version"], "held")
                self._posted.append((id_, pair, body))

    def _twins(self) -> None:
        """Two sessions in the same half hour, at the same instant, from two devices: there is room for one."""
        first = self._next()
        second = self._session(first[1], datetime.fromisoformat(first[2]["started_at"]), minutes=20)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(self._put, self._second, second)
            answers = [self._put(self._line, first), other.result()]
        if sum(answer.good for answer in answers) != 1:
            self._book.blame(f"of two sessions at once {[answer.status for answer in answers]}")
        for posted, answer in zip((first, second), answers, strict=True):
            if self._note(posted, answer, expected="session-overlap"):
                self._posted.append(posted)

    def _again(self) -> None:
        """Something that was answered long ago, once more: nothing may change."""
        if not self._posted:
            return
        posted = self._rng.choice(self._posted)
        answer = self._put(self._line, posted)
        if answer.status != 200:
            self._book.blame(f"a repeat of {posted[0]} was answered {answer.status} {answer.rule}")
        self._book.repeat()

    def _correct(self) -> None:
        """Another length of a meeting, on the base of the version that the phone has seen last."""
        if not self._posted:
            return
        at = self._rng.randrange(len(self._posted))
        id_, pair, body = self._posted[at]
        changed = {**body, "minutes": 25 if body["minutes"] != 25 else 30}
        answer = self._line.ask("PUT", f"/sessions/{id_}", changed, version=self._book.versions[id_])
        if self._note((id_, pair, changed), answer, expected="stale"):
            self._posted[at] = (id_, pair, changed)

    def _late(self) -> None:
        """A meeting at a time at which the guide has met somebody else, as another device says."""
        if not self._posted:
            return
        _, _, other = self._rng.choice(self._posted)
        start = datetime.fromisoformat(other["started_at"])
        posted = self._session(self._rng.choice(self._pairs), start, minutes=20)
        if self._note(posted, self._put(self._line, posted), expected="session-overlap"):
            self._book.blame(f"session {posted[0]} overlaps another one and was taken")

    def _assess(self) -> None:
        """Some learners show, yesterday morning, that they have reached the target."""
        yesterday = datetime.combine(self._office.city.today - timedelta(days=1), time(8), JAKARTA)
        for number, pair in enumerate(self._pairs[:ASSESSED]):
            posted = self._session(pair, yesterday + timedelta(hours=number), 30, TARGET)
            self._book.final.add(posted[0])
            # What is endorsed can't be corrected: it stays out of what this phone plays with.
            self._note(posted, self._put(self._line, posted))

    def _put(self, line: Line, posted: Posted) -> Answer:
        return line.ask("PUT", f"/sessions/{posted[0]}", posted[2])

    def _note(self, posted: Posted, answer: Answer, expected: str | None = None) -> bool:
        """Writes down what was answered; whether it was taken."""
        id_, pair, body = posted
        if answer.good:
            self._book.stored(pair, id_, body, answer.body["version"], answer.body["status"])
            return True
        self._book.refuse(answer.rule)
        if answer.rule != expected:
            self._book.blame(f"session {id_} was refused: {answer.rule}")
        return False


def answer_as_learners(office: Office, seed: str) -> None:
    """Confirms most sessions, disputes some, leaves some. Told to stop, it still answers what was assessed."""
    lines: dict[str, Line] = {}
    book = office.notebook
    while True:
        try:
            id_, pair = book.confirm.get(timeout=0.5)
        except queue.Empty:
            if office.stop.is_set():
                break
            continue
        if to := "confirmed" if id_ in book.final else not office.stop.is_set() and _reply(f"{seed}/{id_}"):
            line = lines.get(pair.learner) or lines.setdefault(pair.learner, office.dial("sessions", pair.learner))
            reason = {"reason": "Seingat saya lebih singkat."} if to == "disputed" else {}
            answer = line.ask("POST", f"/sessions/{id_}/transitions", {"to": to, **reason})
            if answer.good:
                book.moved(id_, answer.body["version"], answer.body["status"])
            else:
                book.refuse(answer.rule)
                book.blame(f"{to} of {id_} was refused: {answer.rule}")


def _reply(seed: str) -> str:
    """What a learner says to a session, also when asked again; nothing to some."""
    return random.Random(seed).choices(("confirmed", "disputed", ""), (88, 4, 8))[0]


def endorse_as_boss(office: Office, boss: str, wanted: int) -> None:
    """Endorses whatever is asked, until so many were."""
    line, done = office.dial("sessions", boss), 0
    pause = threading.Event()
    while done < wanted:
        for item in line.ask("GET", "/endorsements?state=open").body.get("items", ()):
            answer = line.ask("POST", f"/endorsements/{item['id']}/transitions", {"to": "endorsed"})
            if answer.good:
                office.notebook.endorsed(item)
                done += 1
            else:
                office.notebook.blame(f"the endorsement {item['id']} was refused: {answer.rule}")
        pause.wait(1.0)
    line.close()
