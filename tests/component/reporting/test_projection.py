"""Through the projection, the database and back: every figure equals the naive recount, and shows its records."""

from collections.abc import Sequence
from datetime import date
from itertools import product

import pytest

from services.reporting import projections
from services.reporting.domain.periods import GRAINS, Period, between
from services.reporting.evidence import Asked, Evidence, Item
from services.reporting.figures import Figures, Scope
from services.reporting.kpis import KPIS, Kpi, Part, figure
from services.reporting.projections import Projection
from services.reporting.store import Store
from tests.component.reporting.telling import settle, tell
from tests.unit.reporting.recount import Recount
from tests.unit.reporting.world import KINDS, TODAY, city, shuffled

SOURCES = {source for kpi in KPIS.values() for source in kpi.sources}
GRAINS_OF_THE_WORLD = [between(grain, "2016-11-01", "2017-06-30") for grain in GRAINS]


def numbers(store: Store, unit: str, periods: Sequence[Period]) -> dict[str, dict[str, int]]:
    """What the service reads, by period; of one grain."""
    scope = Scope(unit, store.tree(), TODAY.isoformat())
    found = Figures(store).numbers(scope, SOURCES, periods)
    return {key: {name: number for name, number in each.items() if number} for key, each in found.items()}


def expected(recount: Recount, unit: str, periods: Sequence[Period]) -> dict[str, dict[str, int]]:
    """What a naive recount gives."""
    return {
        period.key: recount.numbers(unit, date.fromisoformat(period.first), date.fromisoformat(period.last), TODAY)
        for period in periods
    }


@pytest.mark.parametrize("seed", range(3))
def test_every_number_equals_the_recount_whatever_the_order(store: Store, seed: int) -> None:
    """Shuffled, repeated, replayed events give the numbers of the final records, in every unit and period."""
    world = city(seed, people=12, sessions=60)
    recount = Recount(world)
    projection = Projection(store)
    batches = shuffled(world, seed + 100)
    half = len(batches) // 2
    tell(projection, batches[:half])
    settle(projection)
    tell(projection, batches[half:])
    settle(projection)
    tell(projection, batches[:half])
    for periods, unit in product(GRAINS_OF_THE_WORLD, KINDS):
        assert numbers(store, unit, periods) == expected(recount, unit, periods), unit


def test_people_with_many_facts_are_replaced_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few facts a transaction may touch, all are moved when the people and the tree come last."""
    monkeypatch.setattr(projections, "MOST_FACTS", 4)
    world = city(5, people=12, sessions=60)
    recount = Recount(world)
    projection = Projection(store)
    last = [event for event in world.told if event.aggregate in ("employee", "unit")]
    tell(projection, [[event for event in world.told if event not in last], last[::-1]])
    settle(projection)
    for unit in KINDS:
        assert numbers(store, unit, GRAINS_OF_THE_WORLD[0]) == expected(recount, unit, GRAINS_OF_THE_WORLD[0])


def records(store: Store, kpi: str, unit: str, period: Period, part: str | None, limit: int) -> list[Item]:
    evidence = Evidence(Figures(store))
    scope = Scope(unit, store.tree(), TODAY.isoformat())
    items: list[Item] = []
    cursor = None
    while True:
        page, cursor = evidence.page(kpi, Asked(scope, period, part, limit, cursor))
        items += page
        if cursor is None:
            return items


def test_every_figure_shows_one_record_for_each_of_its_numerator(store: Store) -> None:
    """Page by page, without a record twice, in every unit; hours and JP show the sessions and credits they sum."""
    world = city(3, people=12, sessions=60)
    projection = Projection(store)
    tell(projection, shuffled(world, 1))
    settle(projection)
    for period, unit in product(between("year", "2016-01-01", "2017-12-31"), KINDS):
        made = numbers(store, unit, [period])[period.key]
        for kpi in KPIS.values():
            for part in kpi.parts:
                items = records(store, kpi.id, unit, period, part, limit=3)
                assert len(items) == count_of(kpi, part, made, items), (kpi.id, part, unit, period.key)
                if kpi.id not in ("gaps_open", "unit_coverage"):
                    assert len({item.id for item in items}) == len(items)


def count_of(kpi: Kpi, part: Part, made: dict[str, int], items: list[Item]) -> int:
    """How many records there must be: the numerator, save where that sums minutes or JP."""
    if kpi.id == "hours":
        return figure(KPIS["sessions"], part, made).numerator
    numerator = figure(kpi, part, made).numerator
    return numerator if kpi.id != "jp_mean" else min(numerator, max(1, len(items)))
