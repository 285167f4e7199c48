"""Through the projection, the database and back: every figure equals the naive recount, and shows its records."""

from datetime import date

import pytest

from services.reporting.domain.periods import GRAINS, Period, between
from services.reporting.evidence import Asked, Evidence, Item
from services.reporting.figures import Figures, Scope
from services.reporting.kpis import KPIS, figure
from services.reporting.projections import Projection
from services.reporting.store import Store
from tests.component.reporting.telling import settle, tell
from tests.unit.reporting.recount import Recount
from tests.unit.reporting.world import KINDS, TODAY, World, city, shuffled

SOURCES = {source for kpi in KPIS.values() for source in kpi.sources}
PERIODS = [period for grain in GRAINS for period in between(grain, "2016-11-01", "2017-06-30")]


def numbers(store: Store, unit: str, period: Period) -> dict[str, int]:
    scope = Scope(unit, store.tree(), TODAY.isoformat())
    found = Figures(store).numbers(scope, SOURCES, [period])[period.key]
    return {name: number for name, number in found.items() if number}


def expected(world: World, unit: str, period: Period) -> dict[str, int]:
    first, last = date.fromisoformat(period.first), date.fromisoformat(period.last)
    return Recount(world).numbers(unit, first, last, TODAY)


@pytest.mark.parametrize("seed", range(4))
def test_every_number_equals_the_recount_whatever_the_order(store: Store, seed: int) -> None:
    """Shuffled, repeated, replayed events give the numbers of the final records, in every unit and period."""
    world = city(seed, people=12, sessions=60)
    projection = Projection(store)
    batches = shuffled(world, seed + 100)
    half = len(batches) // 2
    tell(projection, batches[:half])
    settle(projection)
    tell(projection, batches[half:])
    settle(projection)
    tell(projection, batches[:half])
    for period in PERIODS:
        for unit in KINDS:
            assert numbers(store, unit, period) == expected(world, unit, period), (unit, period.key)


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
    for period in between("year", "2016-01-01", "2017-12-31"):
        for unit in KINDS:
            made = numbers(store, unit, period)
            for kpi in KPIS.values():
                for part in kpi.parts:
                    items = records(store, kpi.id, unit, period, part, limit=3)
                    count = sum(made.get(kind, 0) for kind in ("coaching", "mentoring") if part in (None, kind))
                    told = count if kpi.id == "hours" else figure(kpi, part, made).numerator
                    if kpi.id == "jp_mean":
                        assert (told > 0) == bool(items)
                        continue
                    assert len(items) == told, (kpi.id, part, unit, period.key)
                    if kpi.id != "gaps_open":
                        assert len({item.id for item in items} | {item.unit for item in items}) >= len(
                            {item.id for item in items}
                        )
                        assert kpi.id == "unit_coverage" or len({item.id for item in items}) == told
