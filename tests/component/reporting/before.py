"""An installation of reporting as releases before shapes were numbered ran it, and what they left behind."""

import threading

from pymongo.database import Database

from infra.clock import system_clock
from infra.settings import Settings
from infra.storage.mongo import Document
from services.reporting.domain.contributions import SETS
from services.reporting.generations import Running, parts_of
from services.reporting.rebuild import caught_up, places_of_log
from services.reporting.store import Store
from tests.component.infra.things import Threads
from tests.support import eventually, running


class ReleaseBefore:
    """A worker that knows no shapes: it works at generation 1, or at what the record `active` names."""

    name = "figures"

    def __init__(self, settings: Settings, database: Database[Document]) -> None:
        self._settings = settings
        self._database = database
        self.worked_at: set[int] = set()

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set, as it did."""
        while not stop.is_set():
            store = Store(self._database, self._active())
            self.worked_at.add(store.generation)
            store.ensure_indexes()
            with Running(parts_of(self._settings, store, system_clock)) as running:
                while not stop.wait(0.2) and self._active() == store.generation:
                    running.check()

    def _active(self) -> int:
        found = self._database["generations"].find_one({"_id": "active"})
        return int(found["number"]) if found else 1


def left_behind(settings: Settings, database: Database[Document]) -> Store:
    """What a worker of that release has stored of the whole log, and committed, when it is stopped."""
    store, places = Store(database, 1), places_of_log(settings)
    with running(Threads(ReleaseBefore(settings, database))):
        eventually(lambda: caught_up(store, places))
    return store


def with_months_in_one_list(store: Store) -> None:
    """Puts people into the documents of before commit 79c6287, which parted their months by year."""
    for each in list(store["people"].find()):
        months = {name: [row for rows in each[name].values() for row in rows] for name in ("reached", "jp")}
        store["people"].update_one({"_id": each["_id"]}, {"$set": months})


def with_people_counted_apart(store: Store) -> None:
    """Puts the people of each period into counters of their own, where they were up to shape 2."""
    for each in list(store["counters"].find({"metric": "flow"})):
        sums = {name: amount for name, amount in each["n"].items() if name not in SETS}
        store["counters"].update_one({"_id": each["_id"]}, {"$set": {"n": sums}})
        for name in SETS & each["n"].keys():
            apart = {"_id": each["_id"].replace("flow", name), "metric": name, "n": {"people": each["n"][name]}}
            store["counters"].insert_one(each | apart)
