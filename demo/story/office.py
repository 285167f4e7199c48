"""The story of one office: a village of seven where nobody can draft a letter, and what becomes of it."""

from dataclasses import dataclass
from datetime import date

from demo.story.city import City, Person
from demo.story.days import WEEKS, Season, at
from demo.story.pairs import Aim, Matchmaker, Pair
from demo.story.training import Nominee, certified
from demo.story.words import LETTERS

STAFF = 7


@dataclass(frozen=True)
class Office:
    """unit: its code. guide: the district's representative. head: endorses. learners: two who master it, the first
    of whom then guides `next_learner`.
    """

    unit: str
    guide: Person
    head: Person
    learners: tuple[Person, Person]
    next_learner: Person


def choose_office(city: City, nominees: list[Nominee]) -> Office:
    """The first village of seven people in a district that has a certified representative."""
    guides = {n.unit: city.people[n.nip] for n in certified(nominees)}
    for unit in city.units.values():
        if unit.kind == "village" and unit.parent in guides and len(city.staff(unit.code)) == STAFF:
            # Those whose trade is letters first: the gap hurts most there.
            staff = sorted(
                (p for p in city.staff(unit.code) if not p.echelon),
                key=lambda p: (p.position != "Pengelola Surat", p.position, p.nip),
            )
            head = city.head(unit.code)
            return Office(unit.code, guides[unit.parent], head, (staff[0], staff[1]), staff[2])
    raise LookupError("no village of seven people lies in a district with a certified representative")


def pair_office(maker: Matchmaker, office: Office) -> tuple[Pair, Pair, Pair]:
    """Two mentored by the representative, early and late; the third by the first, once HR has approved it."""
    first, second = office.learners
    early = Aim("mentoring", LETTERS, 1, "mastered", "representative", tempo=1.6, weeks=5)
    late = Aim("mentoring", LETTERS, 0, "mastered", "representative", tempo=1.2, weeks=10)
    proposed = at(approval_day(maker.season), 8, 30)
    cascade = Aim("mentoring", LETTERS, 0, "nearly", "approved", proposed, 1.2, WEEKS)
    return (
        maker.add(office.guide, first, early),
        maker.add(office.guide, second, late),
        maker.add(first, office.next_learner, cascade),
    )


def approval_day(season: Season) -> date:
    """When HR approves the first learner as a guide: the first working day after the first stretch."""
    return season.week(5)[0]
