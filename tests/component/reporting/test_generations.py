"""Which generation is shown and worked at, whatever releases came and went."""

import pytest
from flask import Flask
from pymongo.database import Database

from infra.problems import Refused
from infra.settings import Settings
from infra.storage.mongo import Document
from services.reporting.app import api
from services.reporting.documents import SHAPE, UNNUMBERED
from services.reporting.generations import Generations
from services.reporting.rebuild import caught_up
from services.reporting.store import Store
from tests.support import Client

NEWER = SHAPE + 1


@pytest.fixture
def mine(database: Database[Document]) -> Generations:
    """As this release sees them."""
    return Generations(database)


@pytest.fixture
def newer(database: Database[Document]) -> Generations:
    """As a release sees them that stores another shape."""
    return Generations(database, NEWER)


def unnumbered(database: Database[Document]) -> int:
    """What a release that knows no shapes works at."""
    found = database["generations"].find_one({"_id": "active"})
    return int(found["number"]) if found else 1


def filled(generations: Generations) -> int:
    """The number of a generation that was made, and caught up."""
    number = generations.begin().generation
    generations.activate(number)
    return number


def test_the_first_is_shown_at_once_and_is_nobody_elses(database: Database[Document], mine: Generations) -> None:
    """Where nothing was stored there is nothing to show meanwhile; an older release would begin with its own."""
    assert mine.is_empty()
    assert mine.store().generation == mine.begin().generation == mine.active()
    own = mine.own()
    assert own is not None
    assert own.whole
    assert unnumbered(database) != own.store.generation


def test_the_first_may_be_begun_between_two_looks(
    database: Database[Document], mine: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API that found nothing shown, and then that there is a first one, shows that: nothing is counted anew."""
    look, begun = mine._unnumbered, list[int]()

    def begins_meanwhile() -> int:
        if not begun:
            begun.append(Generations(database).begin().generation)
        return look()

    monkeypatch.setattr(mine, "_unnumbered", begins_meanwhile)
    assert [mine.store().generation] == begun


def test_figures_of_a_newer_release_are_neither_read_nor_worked_at(
    settings: Settings, mine: Generations, newer: Generations
) -> None:
    """After going back: 503 and not ready, until this release has counted its own."""
    theirs = filled(newer)
    app = api(settings)
    assert mine.own() is None
    with pytest.raises(Refused, match="counted-anew"):
        mine.store()
    assert is_ready(app) is False
    begun = mine.begin().generation
    assert mine.active() == theirs
    assert is_ready(app) is False
    mine.activate(begun)
    assert mine.with_records().generation == begun
    assert is_ready(app) is True
    assert newer.active() == theirs


def is_ready(app: Flask) -> object:
    return Client(app).get("/readyz").body["checks"]["figures"]


def test_going_back_finds_what_was_kept(mine: Generations, newer: Generations) -> None:
    """The generation before is kept, so each release has its own; the next one drops it, and all that knew it."""
    first, second = filled(mine), filled(newer)
    assert (mine.active(), newer.active()) == (first, second)
    third = newer.next().generation
    newer.activate(third)
    assert mine.own() is None
    assert mine.active() == third
    assert [each.number for each in newer.standing()] == [third, second]


def test_a_release_without_shapes_never_goes_on_in_what_was_dropped(
    database: Database[Document], mine: Generations
) -> None:
    """Its consumer group stands where it stood: in empty collections it would count the rest only."""
    Store(database, 1).ensure_indexes()
    assert [(each.number, each.shape) for each in mine.standing()] == [(1, UNNUMBERED)]
    second = filled(mine)
    assert unnumbered(database) == 1
    third = mine.next().generation
    mine.activate(third)
    assert unnumbered(database) not in {1, second, third}
    assert [each.number for each in mine.standing()] == [third, second]


def test_what_another_release_dropped_is_not_taken_for_empty(
    database: Database[Document], mine: Generations
) -> None:
    """A rebuild by a release that knows no shapes drops all but its own: this one begins anew."""
    Store(database, 1).ensure_indexes()
    number = filled(mine)
    for name in database.list_collection_names(filter={"name": {"$regex": f"^g{number}\\."}}):
        database.drop_collection(name)
    Store(database, number)["people"].insert_one({"_id": "written by a worker that had not noticed"})
    assert mine.own() is None
    assert mine.active() == 1
    assert mine.begin().generation > number
    assert mine.active() == 1


def test_a_rebuild_that_was_quicker_stays_shown(
    database: Database[Document], mine: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that begins a generation at that time leaves no trace."""
    Store(database, 1).ensure_indexes()
    make, made = mine.next, []

    def slowly() -> Store:
        made.append(make())
        mine.activate(make().generation)
        return made[0]

    monkeypatch.setattr(mine, "next", slowly)
    slow = mine.begin().generation
    assert mine.active() == slow + 1
    assert slow not in [each.number for each in mine.standing()]


def test_showing_it_twice_drops_nothing_more(database: Database[Document], mine: Generations) -> None:
    """Two workers may find at once that it has caught up."""
    Store(database, 1).ensure_indexes()
    number = filled(mine)
    mine.activate(number)
    assert [each.number for each in mine.standing()] == [number, 1]


@pytest.mark.parametrize(
    ("behind", "whole"),
    [([0], False), ([0, 0], True), ([0, 1], False), ([0, 0, 0], True), ([0, 0, 1], False)],
)
def test_partitions_that_are_added_while_it_is_counted_are_read_too(
    store: Store, behind: list[int], whole: bool
) -> None:
    """There were two when it began: all that are told of by now must be read to their ends."""
    store["progress"].insert_many([{"_id": number, "behind": count} for number, count in enumerate(behind)])
    assert caught_up(store, 2) is whole
