"""Everybody who asks the services during a storm, each in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Any

from chaos.city import City
from chaos.hr import BatchDesk, PairingDesk
from chaos.line import Dial, Unanswered
from chaos.notebook import Notebook
from chaos.phones import ASSESSED, ROOM, SPARE, GuidesPhone, Office, answer_as_learners, endorse_as_boss

_LEARNERS_AT_ONCE = 6


class Crowd:
    """Guides, learners, supervisors, and HR at two desks. seconds: how long the storm is to last.

    hr: False where there is no enrollment to ask; nobody sits at the desks then.
    """

    def __init__(
        self, city: City, notebook: Notebook, dial: Dial, seed: int, seconds: float, *, hr: bool = True
    ) -> None:
        self._office = Office(city, notebook, dial, threading.Event())
        self._assess = threading.Event()
        self._no_more_posts = threading.Event()
        posting = Office(city, notebook, dial, self._no_more_posts)
        pace = SPARE * seconds / ROOM
        self.pairings, self.batches = (
            PairingDesk(posting, f"{seed}/pairings"),
            BatchDesk(posting, f"{seed}/batches"),
        )
        self._posting = [
            self._thread(GuidesPhone(posting, pairs, f"{seed}/{number}", pace).run, self._assess)
            for number, pairs in enumerate(city.of_guide().values())
        ]
        per_boss = ASSESSED * len(self._posting) // len(city.bosses)
        if hr:
            self._posting += [self._thread(self.pairings.run), self._thread(self.batches.run)]
        self._others = [
            self._thread(answer_as_learners, self._office, str(seed)) for _ in range(_LEARNERS_AT_ONCE)
        ]
        self._others += [self._thread(endorse_as_boss, self._office, boss, per_boss) for boss in city.bosses]

    def start(self) -> None:
        """All begin."""
        for thread in (*self._posting, *self._others):
            thread.start()

    def assess(self) -> None:
        """From now on some learners are assessed."""
        self._assess.set()

    def finish(self, seconds: float) -> list[str]:
        """No new posts; what was begun is brought to its end. Names of those that did not end in time."""
        self._no_more_posts.set()
        for thread in self._posting:
            thread.join(seconds)
        self._office.stop.set()
        for thread in self._others:
            thread.join(seconds)
        return [thread.name for thread in (*self._posting, *self._others) if thread.is_alive()]

    def _thread(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(*arguments)
            except Unanswered as error:
                self._office.notebook.blame(f"never answered: {error}")

        return threading.Thread(target=run, daemon=True)
