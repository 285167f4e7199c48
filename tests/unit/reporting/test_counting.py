"""However the events come, the counters hold what a naive recount of the final records gives."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from infra.messaging.envelope import Event
from services.reporting.domain.contributions import Cell, Fact, SessionFact
from services.reporting.domain.ledger import Ledger
from services.reporting.domain.people import Person, Place
from services.reporting.domain.periods import GRAINS, between, parse
from services.reporting.domain.tree import Tree, Unit
from services.reporting.reactions import news_of
from tests.unit.reporting.recount import Recount
from tests.unit.reporting.world import KINDS, TODAY, city, shuffled


class Memory:
    """Does with dictionaries what the projection does with the database."""

    def __init__(self) -> None:
        self.units: dict[str, tuple[int, Unit]] = {}
        self.people: dict[str, Person] = {}
        self.facts: dict[tuple[type[Fact], str], Fact] = {}
        self.cells: dict[Cell, Counter[str]] = {}

    @property
    def tree(self) -> Tree:
        return Tree((unit for _, unit in self.units.values()), sum(seq for seq, _ in self.units.values()))

    def handle(self, events: list[Event]) -> None:
        news = news_of(events)
        for code, (seq, unit) in news.units.items():
            if code not in self.units or self.units[code][0] < seq:
                self.units[code] = (seq, unit)
        ledger = Ledger(self.people.values(), ())
        moved = ledger.see_people([person for _, person in news.people.values()], self.tree)
        self._settle(ledger, moved)
        ledger = Ledger(self.people.values(), self.facts.values())
        ledger.see_facts(news.facts)
        self._save(ledger)

    def follow_tree(self) -> None:
        ledger = Ledger(self.people.values(), ())
        self._settle(ledger, ledger.see_tree(self.tree))

    def _settle(self, ledger: Ledger, moved: set[str]) -> None:
        ledger.know(fact for fact in self.facts.values() if fact.person in moved)
        ledger.replace_facts(moved)
        self._save(ledger)

    def _save(self, ledger: Ledger) -> None:
        self.facts |= {(type(fact), fact.id): fact for fact in ledger.changed_facts}
        self.people |= {person.id: person for person in ledger.changed_people}
        for cell, amounts in ledger.cells.items():
            self.cells.setdefault(cell, Counter()).update(amounts)

    def numbers(self, unit: str, period: str) -> dict[str, int]:
        found: Counter[str] = Counter()
        grain = next(each.grain for each in [parse(period)] if each)
        for cell, amounts in self.cells.items():
            if unit not in cell.codes:
                continue
            if cell.metric == f"active_{grain}":
                found["active"] += amounts["people"] * (cell.period <= period)
            elif cell.period == period:
                found.update(amounts if cell.metric == "flow" else {cell.metric: amounts["people"]})
        return {name: number for name, number in found.items() if number}


COUNTED = {
    "held",
    "confirmed",
    "disputed",
    "coaching",
    "mentoring",
    "coaching_minutes",
    "mentoring_minutes",
    "jp",
    "reached",
    "active",
    "jp20",
}


def told(batches: Iterable[list[Event]], follow: int) -> Memory:
    memory = Memory()
    for number, batch in enumerate(batches):
        memory.handle(batch)
        if number % follow == 0:
            memory.follow_tree()
    memory.follow_tree()
    return memory


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), order=st.integers(0, 10**6), follow=st.integers(1, 9))
def test_every_cell_equals_the_naive_recount_in_any_order_with_repeats(seed: int, order: int, follow: int) -> None:
    """Repeats, reordering, corrections, moves, changes of the tree told late: no cell differs from the recount."""
    world = city(seed)
    memory = told(shuffled(world, order), follow)
    recount = Recount(world)
    for grain in GRAINS:
        for period in between(grain, "2016-11-01", "2017-05-31"):
            first, last = date.fromisoformat(period.first), date.fromisoformat(period.last)
            for unit in KINDS:
                expected = recount.numbers(unit, first, last, TODAY)
                assert memory.numbers(unit, period.key) == {
                    name: number for name, number in expected.items() if name in COUNTED
                }, (unit, period.key)


@pytest.mark.parametrize("seed", range(3))
def test_replaying_everything_changes_nothing(seed: int) -> None:
    """A consumer that starts at the beginning again leaves every counter as it is."""
    world = city(seed)
    memory = told(shuffled(world, 1), 2)
    before = {cell: +amounts for cell, amounts in memory.cells.items()}
    for batch in shuffled(world, 2):
        memory.handle(batch)
    memory.follow_tree()
    assert {cell: +amounts for cell, amounts in memory.cells.items()} == before


def test_a_correction_that_moves_no_month_leaves_the_person_alone() -> None:
    """Only the fact and the sums change then; the person need not be stored again."""
    place = Place("2016-01-01", "C/B", active=True)
    person = Person("p", places=(place,), reached={"2017": {("2017-02", "C/B"): 1}})
    at = datetime(2017, 2, 3, tzinfo=UTC)
    before = SessionFact("s", 1, "p", "coaching", "confirmed", 30, at, "2017-02-03", "C/B", active=True)
    ledger = Ledger([person], [before])
    ledger.see_facts([structs.replace(before, seq=2, minutes=45)])
    assert [fact.seq for fact in ledger.changed_facts] == [2]
    assert ledger.changed_people == []
    assert all(sums == {"coaching_minutes": 15} for sums in ledger.cells.values())
