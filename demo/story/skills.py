"""Who can do what before the season, and what each unit needs."""

from dataclasses import dataclass
from random import Random

from demo.story.city import City, Person
from demo.story.words import ATTITUDES, LETTERS, OF_POSITION

MASTERED = 3
# How often each level occurs, from 0 on.
_OWN_TRADE: tuple[int, ...] = (10, 30, 38, 18, 4)
_OTHER_TRADE: tuple[int, ...] = (42, 34, 20, 4)
_ATTITUDE: tuple[int, ...] = (0, 45, 40, 15)


@dataclass(frozen=True)
class Need:
    """A unit needs so many people at that level."""

    unit: str
    competency: str
    people: int
    level: int


Levels = dict[tuple[str, str], int]
"""Level by (NIP, competency), as HR imports it before the season."""


def state_needs(city: City, office: str, rng: Random) -> list[Need]:
    """Every agency and district states needs, and about half of the villages; the office among them."""
    needs = []
    for unit in city.units.values():
        staff = city.staff(unit.code)
        if unit.kind == "city" or (unit.kind == "village" and unit.code != office and rng.random() < 0.5):
            continue
        for competency in _wanted(unit.kind, staff, rng):
            people = 2 if unit.code == office else rng.randint(1, max(1, len(staff) // 4))
            needs.append(Need(unit.code, competency, people, MASTERED))
    return needs


def levels_before(city: City, needs: list[Need], office: str, rng: Random) -> Levels:
    """A level for each person in what the own unit needs; in the office nobody can draft a letter."""
    levels: Levels = {}
    for need in needs:
        for person in city.staff(need.unit):
            if need.unit == office and need.competency == LETTERS:
                level = rng.choice((0, 1))
            else:
                level = _draw(person, need.competency, rng)
            levels[person.nip, need.competency] = level
    return levels


def _wanted(kind: str, staff: list[Person], rng: Random) -> list[str]:
    trades = sorted({OF_POSITION[p.position] for p in staff if p.position in OF_POSITION} - {LETTERS})
    picked = rng.sample(trades, min(len(trades), 1 if kind == "village" else 3))
    attitude = [rng.choice(ATTITUDES)] if kind != "village" or rng.random() < 0.3 else []
    return [LETTERS, *picked, *attitude]


def _draw(person: Person, competency: str, rng: Random) -> int:
    if competency in ATTITUDES:
        weights = _ATTITUDE
    else:
        weights = _OWN_TRADE if OF_POSITION.get(person.position) == competency else _OTHER_TRADE
    return rng.choices(range(len(weights)), weights)[0]
