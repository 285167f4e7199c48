"""A release that stores figures in another shape takes over while events flow, and so does one that goes back."""

from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from pymongo.database import Database

from infra.clock import system_clock
from infra.messaging.deadletters import read_all
from infra.messaging.envelope import Event
from infra.settings import Settings
from infra.storage.mongo import Document
from services.reporting import documents
from services.reporting.app import api, groups, rebuild, worker
from services.reporting.events import CONSUMED
from services.reporting.generations import Generations, group_of
from services.reporting.rebuild import LogCut, caught_up, places_of_log
from services.reporting.standing import standing
from services.reporting.store import INDEXES, Store
from services.reporting.upkeep import Upkeep
from tests.component.infra.things import Threads
from tests.component.reporting.before import (
    ReleaseBefore,
    left_behind,
    with_months_in_one_list,
    with_people_counted_apart,
)
from tests.component.reporting.test_worker import agrees, is_counted, log_of, send
from tests.conftest import Tokens
from tests.support import Client, eventually, running
from tests.unit.reporting.world import World, city

pytestmark = pytest.mark.timeout(600)
PATIENCE = 100


@pytest.fixture
def world() -> World:
    return city(8, people=12, sessions=60)


@pytest.fixture
def events(world: World) -> Iterator[list[Event]]:
    """Three parts of the log. Units and people come first, for there to be figures; then once more."""
    log = log_of(world)
    first = [event for event in log if event.aggregate in ("unit", "employee")]
    third = len(log) // 3
    return iter(([*first, *log[:third]], log[third : 2 * third], log[2 * third :]))


@pytest.fixture
def hr(settings: Settings, tokens: Tokens) -> Client:
    return Client(api(settings), tokens("x", "hr"))


def contents(store: Store) -> dict[str, list[Document]]:
    """All that is counted."""
    return {name: list(store[name].find().sort("_id", 1)) for name in INDEXES if name != "progress"}


def behind(hr: Client) -> int:
    return sum(each["behind_events"] for each in hr.get("/v1/freshness").expect(200).body["items"])


def letters(settings: Settings, *generations: int) -> list[Any]:
    return [letter for number in generations for letter in read_all(settings, group_of(number))]


def test_months_by_year_come_into_use_while_events_flow(
    settings: Settings, database: Database[Document], world: World, events: Iterator[list[Event]], hr: Client
) -> None:
    """People of before 79c6287 can't be read; figures are shown all the same, then the new ones, none is off."""
    send(settings, next(events))
    old = left_behind(settings, database)
    figures = hr.get("/v1/kpis?period=2017").expect(200).body["items"]
    with_months_in_one_list(old)
    with_people_counted_apart(old)
    before = contents(old)
    somebody = old["people"].find_one({"reached": {"$ne": []}})
    assert somebody is not None
    with pytest.raises(AttributeError):
        documents.person(somebody)
    shown = hr.get("/v1/kpis?period=2017").expect(200).body
    assert shown["items"] == figures
    assert any(row["value"] for row in figures if row["id"] == "reach")
    refused = hr.get("/v1/kpis/reach/evidence?period=2017").expect(503)
    assert refused.body["rule"] == "counted-anew"
    assert int(refused.headers["Retry-After"]) > 0
    send(settings, next(events))
    with running(worker(settings), worker(settings)):
        send(settings, next(events))
        generations = Generations(database)
        assert eventually(lambda: agrees(generations, world), timeout=PATIENCE, interval=0.5)
        number = generations.active()
        assert number != old.generation
        hr.get("/v1/kpis/reach/evidence?period=2017").expect(200)
        assert contents(old) == before
        assert not letters(settings, old.generation, number)


def test_workers_of_the_release_before_go_on_beside_the_new_ones(
    settings: Settings, database: Database[Document], world: World, events: Iterator[list[Event]]
) -> None:
    """Both count all events, each in its own collections; so one can go back to the release before."""
    earlier = ReleaseBefore(settings, database)
    send(settings, next(events))
    with running(Threads(earlier)):
        eventually(Store(database, 1)["people"].find_one, timeout=PATIENCE)
        with running(worker(settings)):
            send(settings, next(events))
            eventually(lambda: Generations(database).active() != 1, timeout=PATIENCE)
            send(settings, next(events))
            assert eventually(lambda: agrees(Generations(database), world), timeout=PATIENCE, interval=0.5)
        old = Store(database, 1)
        assert eventually(lambda: is_counted(old, world), timeout=PATIENCE, interval=0.5)
    assert earlier.worked_at == {1}
    assert not letters(settings, 1, Generations(database).active())


def test_who_is_stopped_while_counting_is_followed_by_one_who_goes_on(
    settings: Settings, database: Database[Document], world: World, events: Iterator[list[Event]]
) -> None:
    """The next worker fills the same generation; until it has caught up, the one before is shown."""
    send(settings, next(events))
    old = left_behind(settings, database)
    begun = Generations(database).begin()
    assert Generations(database).active() == old.generation
    assert list(groups(settings)) == [group_of(old.generation), group_of(begun.generation)]
    for part in events:
        send(settings, part)
    with running(worker(settings)):
        assert eventually(lambda: agrees(Generations(database), world), timeout=PATIENCE, interval=0.5)
        assert Generations(database).active() == begun.generation
        assert list(groups(settings)) == [group_of(begun.generation)]


def test_a_partition_whose_end_is_not_known_yet_is_waited_for(
    settings: Settings,
    database: Database[Document],
    events: Iterator[list[Event]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is known of it before the first answer; taken for read, it would show a part of the figures."""
    send(settings, next(events))
    old = left_behind(settings, database)
    generations, known = Generations(database), KafkaConsumer.highwater

    def highwater(self: KafkaConsumer, place: TopicPartition) -> int | None:
        return None if place.partition == 0 else known(self, place)

    monkeypatch.setattr(KafkaConsumer, "highwater", highwater)
    with running(worker(settings)):
        eventually(lambda: told_of(generations) == settings.partitions * len(CONSUMED) - len(CONSUMED), PATIENCE)
        assert generations.active() == old.generation
        monkeypatch.undo()
        assert eventually(lambda: generations.active() != old.generation, timeout=PATIENCE)


def told_of(generations: Generations) -> int:
    own = generations.own()
    return own.store["progress"].count_documents({"behind": 0}) if own else 0


def test_figures_of_fewer_records_are_not_shown_unasked(
    settings: Settings, database: Database[Document], events: Iterator[list[Event]]
) -> None:
    """The log may be about to be filled anew; whoever knows better says `rebuild`."""
    send(settings, next(events))
    old = left_behind(settings, database)
    old["sessions"].insert_one({"_id": "of an event that is not in the log any more"})
    generations, places = Generations(database), places_of_log(settings)
    with running(worker(settings)):
        eventually(lambda: (own := generations.own()) and caught_up(own.store, places), timeout=PATIENCE)
        rebuild(settings)
        standing_now = [(each.number, each.state) for each in generations.standing()]
        assert standing_now[0] == (3, "shown")
        assert (old.generation, "kept") in standing_now, "it was followed by no other"


def test_a_log_without_its_beginning_makes_the_worker_stand_still(
    settings: Settings,
    database: Database[Document],
    events: Iterator[list[Event]],
    hr: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It isn't ready, reads nothing, puts nothing aside and changes nothing; the old figures are still shown."""
    send(settings, next(events))
    old = left_behind(settings, database)
    before = contents(old)
    monkeypatch.setattr(KafkaConsumer, "beginning_offsets", lambda _, places: dict.fromkeys(places, 1))
    generations = Generations(database)
    figures = Upkeep(settings, database, system_clock)
    with running(Threads(figures)):
        assert eventually(lambda: _stands_still(figures))
        send(settings, next(events))
        hr.get("/v1/kpis").expect(200)
        assert eventually(lambda: behind(hr) > 0)
        told = standing(settings, generations)
        assert told.trouble and "docs/operations.md" in told.trouble
        assert [each.state for each in generations.standing()] == ["shown"]
        assert contents(old) == before
        monkeypatch.undo()
        assert eventually(lambda: generations.active() != old.generation, timeout=PATIENCE)
        assert not _stands_still(figures)
    assert contents(old) == before
    assert not letters(settings, old.generation)


def _stands_still(figures: Upkeep) -> bool:
    try:
        figures.ready()
    except LogCut:
        return True
    return False
