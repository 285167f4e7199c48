"""Takes news in and says what changes: facts, people, counters. Pure: what it needs is handed to it.

Each person's facts, wherever they are, are placed by that person's `places`; whoever changes the places re-places
all facts of the person with it. So sessions that came before their employee, or an employee before the unit, are
put right when the missing part arrives.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.reporting.domain.contributions import (
    SETS,
    Cell,
    CreditFact,
    Fact,
    Stock,
    Sums,
    of_person_instead,
    of_skills,
)
from services.reporting.domain.people import (
    Mastery,
    Person,
    Skill,
    Stint,
    masteries_of,
    place_on,
    places_of,
)
from services.reporting.domain.tree import Tree

Key = tuple[type[Fact], str]
Entry = tuple[Literal["reached", "jp"], str, Any, int]
"""Something in a person's months: field, year, key and amount."""


class PersonSeen(msgspec.Struct, frozen=True):
    """The whole of what an employee event tells about a person."""

    id: str
    seq: int
    history: tuple[Stint, ...]
    skills: tuple[Skill, ...]


class Ledger:
    """What is known before (`people`, `facts`) and, bit by bit, after; `tree` is asked for places only.

    Read `changed_facts`, `changed_people`, `cells`, `stocks`, `masteries` at the end; nothing else is changed.
    """

    def __init__(self, people: Iterable[Person], facts: Iterable[Fact]) -> None:
        self._before = {person.id: person for person in people}
        self._handed = frozenset(self._before)
        self._people = dict(self._before)
        self._facts: dict[Key, Fact] = {}
        self._changed: dict[Key, Fact] = {}
        self._sums = Sums()
        self._stored: set[Key] = set()
        self._drafts: dict[tuple[str, str, str], dict[Any, int]] = {}
        self.know(facts)

    def know(self, facts: Iterable[Fact]) -> None:
        """Hands over facts as they are stored; what is known already stays as it is."""
        for fact in facts:
            key = (type(fact), fact.id)
            self._stored.add(key)
            self._facts.setdefault(key, fact)

    def see_people(self, seen: Iterable[PersonSeen], tree: Tree) -> set[str]:
        """Takes in newer employees. Gives those whose facts must be handed over and then replaced."""
        moved = set()
        for each in seen:
            old = self._person(each.id)
            if each.seq > old.seq:
                places = places_of(each.history, tree)
                self._people[each.id] = msgspec.structs.replace(
                    old,
                    seq=each.seq,
                    tree=tree.version,
                    history=each.history,
                    skills=each.skills,
                    places=places,
                )
                if places != old.places:
                    moved.add(each.id)
        return moved

    def see_tree(self, tree: Tree) -> set[str]:
        """Finds everybody's places anew by a newer tree. Gives those whom that moves, as `see_people`."""
        moved = set()
        for old in list(self._people.values()):
            places = places_of(old.history, tree)
            self._people[old.id] = msgspec.structs.replace(old, tree=tree.version, places=places)
            if places != old.places:
                moved.add(old.id)
        return moved

    def replace_facts(self, moved: set[str]) -> None:
        """Puts all known facts of these people where the people's places say."""
        for key, fact in list(self._facts.items()):
            if fact.person in moved:
                self._put(key, fact, fact)

    def see_facts(self, seen: Iterable[Fact]) -> None:
        """Takes in newer facts; older and equal ones change nothing."""
        for fact in seen:
            key = (type(fact), fact.id)
            old = self._facts.get(key)
            if old is None or fact.seq > old.seq:
                self._put(key, fact, old)

    def _put(self, key: Key, fact: Fact, old: Fact | None) -> None:
        path, active = place_on(self._person(fact.person).places, fact.day)
        new = msgspec.structs.replace(fact, path=path, active=active)
        if new == old:
            return
        self._facts[key] = self._changed[key] = new
        gone, come = None, _entry(new)
        if old is not None:
            gone = _entry(old)
            self._sums.add(old, -1)
        self._sums.add(new, 1)
        if gone == come:
            return
        if gone is not None:
            self._shift(new.person, gone, -1)
        if come is not None:
            self._shift(new.person, come, 1)

    def _shift(self, id_: str, entry: Entry, times: int) -> None:
        """Adds the entry so many times to the person's months; what becomes 0 is left out."""
        name, year, key, amount = entry
        months = self._drafts.get((id_, name, year))
        if months is None:
            # A copy of what is stored, to be changed by all news of the batch.
            person = self._person(id_)
            years = getattr(person, name)
            months = self._drafts[id_, name, year] = dict(years.get(year, {}))
            self._people[id_] = msgspec.structs.replace(person, **{name: years | {year: months}})
        months[key] = months.get(key, 0) + times * amount
        if not months[key]:
            del months[key]

    def _person(self, id_: str) -> Person:
        if id_ not in self._people:
            self._people[id_] = self._before[id_] = Person(id_)
        return self._people[id_]

    @property
    def changed_facts(self) -> list[Fact]:
        """The facts that must be stored."""
        return list(self._changed.values())

    def is_new(self, fact: Fact) -> bool:
        """Whether the fact was not handed over as stored."""
        return (type(fact), fact.id) not in self._stored

    @property
    def changed_people(self) -> list[Person]:
        """The people who must be stored."""
        return [new for id_, new in self._people.items() if new is not self._before[id_]]

    def before(self, person: Person) -> Person | None:
        """The person as they are stored, None for one who isn't."""
        return self._before[person.id] if person.id in self._handed else None

    @property
    def cells(self) -> dict[Cell, dict[str, int]]:
        """What must be added to the counters, by field."""
        people: dict[Cell, int] = {}
        for person in self.changed_people:
            for cell, amount in of_person_instead(self._before[person.id], person).items():
                people[cell] = people.get(cell, 0) + amount
        cells = self._sums.cells()
        for (metric, period, codes), amount in people.items():
            if amount and metric in SETS:
                cells.setdefault(Cell("flow", period, codes), {})[metric] = amount
            elif amount:
                cells[Cell(metric, period, codes)] = {"people": amount}
        return cells

    @property
    def stocks(self) -> dict[Stock, int]:
        """What must be added to the stocks of skills."""
        stocks: Counter[Stock] = Counter()
        for new in self.changed_people:
            old = self._before[new.id]
            if (old.history, old.skills) != (new.history, new.skills):
                stocks.subtract(of_skills(old.history, old.skills))
                stocks.update(of_skills(new.history, new.skills))
        return {stock: amount for stock, amount in stocks.items() if amount}

    @property
    def masteries(self) -> dict[str, Mastery | None]:
        """The masteries that must be stored, and as None those that must go."""
        changes: dict[str, Mastery | None] = {}
        for new in self.changed_people:
            old = self._before[new.id]
            if (old.places, old.skills) != (new.places, new.skills):
                before, after = masteries_of(old), masteries_of(new)
                changes |= dict.fromkeys(before.keys() - after.keys())
                changes |= {id_: each for id_, each in after.items() if before.get(id_) != each}
        return changes


def _entry(fact: Fact) -> Entry | None:
    """What the fact adds to its person's months, if anything."""
    month = fact.day[:7]
    if isinstance(fact, CreditFact):
        return ("jp", month[:4], month, fact.jp) if fact.jp else None
    if fact.status != "confirmed" or not fact.active or fact.path is None:
        return None
    return "reached", month[:4], (month, fact.path), 1
