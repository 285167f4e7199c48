"""A service on a replica set of three loses its primary, twice: what phones were promised holds, and no more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos.city import DAYS, TARGET, City, Pair
from chaos.crowd import Crowd
from chaos.line import Line, Weather
from chaos.notebook import Notebook
from demo.ledger import Ledger
from infra.clock import day_of, system_clock, to_wire
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from services.sessions.store import Store
from tests.component.infra.things import Threads
from tests.component.sessions.world import World
from tests.conftest import SettingsFor, Tokens
from tests.processes import is_ready, process_of
from tests.reliability.replica_set import ReplicaSet
from tests.reliability.stored import event_ids, unsent
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(600)
GUIDES, LEARNERS_EACH = 4, 3
SESSIONS = 80
"""So many are accepted before, between and after the deaths."""

PATIENCE = 100.0


@pytest.fixture
def members() -> Iterator[ReplicaSet]:
    with ReplicaSet() as members:
        yield members


def test_the_primary_dies_under_phones(members: ReplicaSet, settings_for: SettingsFor, tokens: Tokens) -> None:
    """What was accepted is stored as it was answered last, and published; nothing is there of what was refused."""
    settings = settings_for("sessions", mongodb_uri=members.address)
    world = World(settings, tokens)
    book, weather = Notebook(Ledger()), Weather()
    published: list[Event] = []
    reader = Consumer(settings, "readers", ["sessions.events"], published.extend, system_clock)
    api, worker = process_of(settings, "api"), process_of(settings, "worker")

    def dial(_service: str, sub: str) -> Line:
        return Line(f"http://127.0.0.1:{settings.port}", tokens(sub, "employee"), weather, PATIENCE)

    crowd = Crowd(_city(world), book, dial, 5, PATIENCE, hr=False)
    with running(api, worker, Threads(reader)):
        eventually(lambda: is_ready(settings.port) and is_ready(settings.worker_port))
        crowd.start()
        _accept_more(book)
        members.kill(dead := members.primary())
        _accept_more(book)
        members.start_again(dead)
        members.kill(members.primary())
        crowd.assess()
        _accept_more(book)
        assert crowd.finish(PATIENCE) == []
        eventually(lambda: unsent(world.store.aggregates) == 0)
        told = event_ids(world.store.aggregates)
        eventually(lambda: told <= {event.id for event in published})
        assert worker.running
    assert weather.longest > 2, "some were under way when it died"
    assert book.refused["session-overlap"]
    assert book.broken == []
    assert set(weather.answers) <= {200, 201, 409, 412, 503}
    assert _stored(world.store) == {
        id_: (fact.status, fact.minutes, book.versions[id_]) for id_, fact in book.ledger.sessions.items()
    }
    assert {event.id for event in published} == told


def _city(world: World) -> City:
    """As enrollment would have told of it: two superiors, guides with learners of their own, long since paired."""
    city = City(Ledger(), [], [world.employee(), world.employee()], day_of(datetime.now(UTC)))
    since = to_wire(datetime.now(UTC) - timedelta(days=DAYS + 10))
    active: dict[str, Any] = {"active_at": since, "history": [{"state": "active", "at": since}]}
    for number in range(GUIDES):
        boss = city.bosses[number % len(city.bosses)]
        guide = world.employee(boss)
        for _ in range(LEARNERS_EACH):
            learner = world.employee(boss)
            pairing = world.pairing(guide, learner, target_level=TARGET, **active)
            city.pairs.append(Pair(pairing, "mentoring", guide, learner, boss))
    return city


def _accept_more(book: Notebook) -> None:
    """Waits until the phones got rid of more sessions."""
    enough = len(book.versions) + SESSIONS
    eventually(lambda: len(book.versions) >= enough, timeout=PATIENCE)


def _stored(store: Store) -> dict[str, Any]:
    """Status, minutes and version of each session."""
    return {
        stored.state.id: (stored.state.status, stored.state.minutes, stored.version)
        for stored in store.sessions.find({})
    }
