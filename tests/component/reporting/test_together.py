"""Several partitions at once: by several workers, some twice over, the tree changing meanwhile; and by one."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product

import msgspec
import pytest
from pymongo.database import Database

from infra.messaging.envelope import Event, Unreadable
from infra.messaging.tries import may_pass
from infra.storage.mongo import Document
from services.reporting.projections import Projection
from services.reporting.store import Store
from tests.component.reporting.telling import placed, settle
from tests.component.reporting.test_projection import GRAINS_OF_THE_WORLD, expected, numbers
from tests.unit.reporting.recount import Recount
from tests.unit.reporting.world import KINDS, city, event, shuffled


def until_it_passes(work: Callable[[], object]) -> None:
    """As the consumer does: what may pass is tried again."""
    while True:
        try:
            work()
            return
        except Exception as error:
            if not may_pass(error):
                raise


def in_larger_ones(batches: list[list[Event]]) -> list[list[Event]]:
    """The same events in the same order, 60 at a time."""
    events = [event for batch in batches for event in batch]
    return [events[at : at + 60] for at in range(0, len(events), 60)]


def test_workers_that_overlap_count_nothing_twice(database: Database[Document], store: Store) -> None:
    """A partition that moves is for a moment read by two; units go to one while people are counted by others."""
    world = city(11, people=10, sessions=80)
    batches = in_larger_ones(shuffled(world, 3))
    done = threading.Event()

    def read(partitions: set[int]) -> None:
        projection = Projection(Store(database, 1))
        for batch in map(placed, batches):
            events = [each for each in batch if each.partition in partitions]
            until_it_passes(partial(projection.handle, events))

    def follow() -> None:
        projection = Projection(Store(database, 1))
        while not done.is_set():
            until_it_passes(projection.catch_up_with_tree)
            done.wait(0.05)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(read, ({0}, {1, 2}, {0, 1}, {2})))
    finally:
        done.set()
    follower.join()
    settle(Projection(store))
    recount = Recount(world)
    for periods, unit in product(GRAINS_OF_THE_WORLD, KINDS):
        assert numbers(store, unit, periods) == expected(recount, unit, periods), unit


def test_people_whose_partition_is_another_one_than_before_are_counted_once(store: Store) -> None:
    """Partitions were added to the topics: what tells of a person stands in two of them, and is read together."""
    world = city(12, people=10, sessions=80)
    chance = random.Random(12)
    projection = Projection(store)
    for batch in in_larger_ones(shuffled(world, 4)):
        projection.handle([msgspec.structs.replace(each, partition=chance.randrange(6)) for each in batch])
    settle(projection)
    recount = Recount(world)
    for periods, unit in product(GRAINS_OF_THE_WORLD, KINDS):
        assert numbers(store, unit, periods) == expected(recount, unit, periods), unit


def test_a_session_may_bear_the_id_of_somebody_else(store: Store) -> None:
    """Phones choose the ids of sessions. Each person stays in the shard of the partition that tells of them."""
    projection = Projection(store)
    employee = {
        "id": "ani",
        "history": [{"from": "2017-01-01T00:00:00Z", "unit": "U", "active": True}],
        "skills": [],
    }
    session = {
        "id": "ani",
        "learner_id": "budi",
        "kind": "coaching",
        "status": "held",
        "minutes": 45,
        "started_at": "2017-05-01T02:00:00Z",
    }
    ani = msgspec.structs.replace(event("employee.created", "ani", 1, employee), partition=2)
    budis = msgspec.structs.replace(event("session.recorded", "ani", 1, session, key="budi"), partition=1)
    projection.handle([ani, budis])
    assert store["people"].find_one({"_id": "ani"}, {"shard": 1}) == {"_id": "ani", "shard": 2}
    assert store["sessions"].find_one({"_id": "ani"}, {"shard": 1}) == {"_id": "ani", "shard": 1}
    with pytest.raises(Unreadable, match="partition key"):
        projection.handle([msgspec.structs.replace(budis, seq=2, key="ani")])
