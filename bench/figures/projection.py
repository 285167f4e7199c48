"""Figure 4: events a second from the topic to the committed figures, over a bare consumer that only stores them.

Measured: reporting's own worker (consumer, projection, follower of the tree), with one and with two processes, on
a log of confirmed sessions of the city's 1,200 people: each event is another fact, so none falls away; the fact,
its person and all counters of the months, quarters and years change in one transaction a batch. From the first
read to the last committed offset. The same with a store that holds 1,000,000
facts, over the empty one.

Floor: the same consumer settings on the same log and partitions, with as many processes: each batch is parsed and
stored by one `bulk_write` of documents without a further index, then the offsets are committed. It can't be
repeated without double counting and counts nothing: nobody can do less and still have the events.
"""

import json
from collections.abc import Callable

from bench import city, lots
from bench.lane import Lane, Stint, rate, together
from bench.outcome import Goal, Result, alternate
from bench.stage import Stage
from bench.watch import profiled_pid, while_going
from infra.storage.mongo import connect
from services.reporting.store import Store

EMPTY, FILLED = "empty", "filled"
FIRST_FILLED = 1000


class Lot:
    """One log of events, with a store for the figures made of it."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self.space = f"lot{number}"
        self.settings = stage.settings("sessions", self.space)
        self._counts = lots.fill(self.settings, stage.scale.events)

    def ours(self, store: Store, workers: int, watch: Callable[[int], object] | None = None) -> float:
        """One round of our workers on this log; the store's database and generation decide where to."""
        env = self._stage.environment("reporting", self.space)
        env["BINA_REPORTING_DATABASE"] = store.database.name
        return self._round("bench.ours.projection", env, str(store.generation), workers, watch)

    def floor(self, name: str, workers: int) -> float:
        """One round of the bare consumer. name: of a collection and group that were not used before."""
        env = self._stage.environment("reporting", self.space)
        return self._round("bench.floors.consume", env, name, workers, None)

    def _round(
        self, module: str, env: dict[str, str], name: str, workers: int, watch: Callable[[int], object] | None
    ) -> float:
        counts, partitions = json.dumps(self._counts), range(self.settings.partitions)
        shares = [json.dumps(list(partitions[number::workers])) for number in range(workers)]
        lanes = [Lane(self._stage, module, env, name, share, counts) for share in shares]
        stints = together(lanes, Stint, lambda: watch(lanes[0].pid) if watch else None)
        events = sum(stint.events for stint in stints)
        if events < self._stage.scale.events:
            raise RuntimeError(f"{module} read {events} events of {self._stage.scale.events}")
        return rate(stints)


class Stores:
    """Stores to count in: empty ones, one for each round, and one that is filled and goes on being used."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._database = connect(stage.settings("reporting", EMPTY))
        self._partitions = stage.settings("reporting", EMPTY).partitions
        self._generation = 0

    def empty(self) -> Store:
        """One that knows units and people only."""
        self._generation += 1
        store = Store(self._database, self._generation)
        city.move_in(store, self._partitions)
        return store

    def filled(self, round_: int) -> Store:
        """The one with a million facts, under a number that no empty one has: so each round has its own group."""
        return filled(self._stage, FILLED, self._stage.scale.many, FIRST_FILLED + round_)


def filled(stage: Stage, space: str, facts: int, generation: int = 1) -> Store:
    """A store with so many facts, made the first time; it takes the collections of the generation before it."""
    settings = stage.settings("reporting", space)
    database = connect(settings)
    store = Store(database, generation)
    names = database.list_collection_names()
    if not names:
        city.move_in(store, settings.partitions)
        with stage.progress(f"{facts:,} facts are stored", facts) as tick:
            city.store_facts(store, settings.partitions, facts, tick)
        return store
    for name in names:
        number, _, rest = name.partition(".")
        if number != f"g{generation}" and rest:
            stage.client[database.name][name].rename(f"g{generation}.{rest}")
    return store


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    all_lots = [Lot(stage, number) for number in range(stage.scale.repeats)]
    stores = Stores(stage)
    one, one_floor, two, two_floor = alternate(
        stage.scale.repeats,
        lambda n: all_lots[n].ours(stores.empty(), 1),
        lambda n: all_lots[n].floor(f"one{n}", 1),
        lambda n: all_lots[n].ours(stores.empty(), 2),
        lambda n: all_lots[n].floor(f"two{n}", 2),
    )
    stores.filled(0)
    full, empty = alternate(
        stage.scale.repeats,
        lambda n: all_lots[n].ours(stores.filled(n), 1),
        lambda n: all_lots[n].ours(stores.empty(), 1),
    )
    limits = {}
    if stage.scale.profiles:
        limits["profile of one worker"] = while_going(
            lambda watch: all_lots[0].ours(stores.empty(), 1, watch), profiled_pid
        )
    stage.drop(EMPTY, *(lot.space for lot in all_lots))
    about = "reporting, topic to committed figures, over a bare consumer with bulk_write"
    many = f"{stage.scale.many:,}"
    return [
        _result("4 (one worker)", about, one, one_floor, 0.5, limits),
        _result("4 (two workers)", f"{about}, two processes each", two, two_floor, 0.7, {}),
        _result("4 (full)", f"reporting with {many} facts stored, over reporting without", full, empty, 0.85, {}),
    ]


def _result(
    figure: str,
    about: str,
    ours: list[float],
    floor: list[float],
    goal: float,
    limits: dict[str, dict[str, float]],
) -> Result:
    aim = Goal("at least", goal)
    return Result(figure=figure, about=about, unit="events/s", ours=ours, floor=floor, goal=aim, limits=limits)
