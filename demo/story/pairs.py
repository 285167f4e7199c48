"""Who guides whom, in what, and how far it gets."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeVar

from demo.story.city import City, Person
from demo.story.days import WEEKS, Season
from demo.story.skills import MASTERED, Levels, Need
from demo.story.words import ATTITUDES, OF_POSITION, TECHNIQUES

T = TypeVar("T")

MOST_BY_LEARNER = 2
_ENDINGS = (("mastered", 22), ("waiting", 3), ("nearly", 40), ("slow", 35))
_TEMPOS = ((0.9, 50), (0.55, 25), (1.6, 15), (0.25, 10))


@dataclass(frozen=True)
class Pair:
    """A pairing of the story. ground: why the guide may guide. tempo: meetings a week, for so many `weeks`.

    ending: `mastered` (endorsed), `declined` (the first request is declined, a later one endorsed), `waiting` (the
    request is still open at the end), `nearly` (a level below the target) or `slow`.
    """

    key: str
    kind: str
    guide: str
    learner: str
    competency: str
    start: int
    target: int
    ending: str
    tempo: float
    weeks: int
    ground: str
    proposed: datetime
    due_on: date


@dataclass(frozen=True)
class Aim:
    """What a new pair is for, in the words of `Pair`; what is not given is drawn."""

    kind: str
    competency: str
    start: int
    ending: str
    ground: str
    proposed: datetime | None = None
    tempo: float | None = None
    weeks: int | None = None


@dataclass
class Matchmaker:
    """Draws pairs one by one; remembers who has enough of them already."""

    city: City
    season: Season
    needs: list[Need]
    levels: Levels
    rng: Random
    pairs: list[Pair] = field(default_factory=list)
    _learning: Counter[str] = field(default_factory=Counter)

    def pair(self, guide: Person, learner: Person, ground: str) -> Pair | None:
        """A new pair of these two, unless the learner has enough or there is nothing left to learn."""
        kind = "mentoring" if self.rng.random() < 0.6 else "coaching"
        competency = self._competency(kind, learner)
        if competency is None or self._learning[learner.nip] >= MOST_BY_LEARNER:
            return None
        start = self.levels.get((learner.nip, competency), self.rng.choice((0, 1)))
        ending = _weighted(_ENDINGS, self.rng)
        return self.add(guide, learner, Aim(kind, competency, start, ending, ground))

    def add(self, guide: Person, learner: Person, aim: Aim) -> Pair:
        """Notes the pair down, and the levels that both bring along."""
        self._learning[learner.nip] += 1
        self.levels[learner.nip, aim.competency] = aim.start
        if aim.kind == "mentoring" and aim.ground != "approved":
            self.levels[guide.nip, aim.competency] = MASTERED + 1
        pair = Pair(
            key=f"pair-{len(self.pairs) + 1:03}",
            kind=aim.kind,
            guide=guide.nip,
            learner=learner.nip,
            competency=aim.competency,
            start=aim.start,
            target=MASTERED,
            ending=aim.ending,
            tempo=aim.tempo or _weighted(_TEMPOS, self.rng),
            weeks=aim.weeks or (self.rng.randint(5, WEEKS) if aim.ending == "mastered" else WEEKS),
            ground=aim.ground,
            proposed=aim.proposed or self.season.proposed + timedelta(minutes=3 * len(self.pairs)),
            due_on=self.season.end + timedelta(days=self.rng.choice((14, 30, 45, 60))),
        )
        self.pairs.append(pair)
        return pair

    def decline_once(self, taken: Iterable[str]) -> None:
        """Turns one mastered pair of a good tempo into the one whose first request is declined."""
        keep_out = set(taken)
        at = next(
            n
            for n, pair in enumerate(self.pairs)
            if pair.ending == "mastered" and pair.tempo > 1 and pair.key not in keep_out
        )
        self.pairs[at] = replace(self.pairs[at], ending="declined", weeks=8)

    def _competency(self, kind: str, learner: Person) -> str | None:
        pool = TECHNIQUES if kind == "mentoring" else ATTITUDES
        needed = [n.competency for n in self.needs if n.unit == learner.unit and n.competency in pool]
        trade = OF_POSITION.get(learner.position)
        wishes = [*needed, *([trade] if trade in pool else []), *self.rng.sample(pool, 2)]
        done = {pair.competency for pair in self.pairs if pair.learner == learner.nip}
        guides = {pair.competency for pair in self.pairs if pair.guide == learner.nip}
        for competency in wishes:
            level = self.levels.get((learner.nip, competency), 0)
            if competency not in done | guides and level < MASTERED:
                return competency
        return None


def pair_representatives(maker: Matchmaker, representatives: list[Person]) -> None:
    """Each certified representative guides three or four: in the own unit, and in two villages of a district."""
    for guide in representatives:
        own = [p for p in maker.city.staff(guide.unit) if _may_learn_from(maker.city, p, guide)]
        maker.rng.shuffle(own)
        villages = [unit for unit in maker.city.below(guide.unit) if unit != guide.unit]
        learners = own[: 2 if villages else maker.rng.choice((3, 4))]
        for village in maker.rng.sample(villages, min(2, len(villages))):
            staff = [p for p in maker.city.staff(village) if not p.echelon]
            learners += maker.rng.sample(staff, min(1, len(staff)))
        for learner in learners:
            maker.pair(guide, learner, "representative")


def pair_supervisors(maker: Matchmaker, taken: set[str]) -> None:
    """Heads of sections guide two or three of their reports, some heads of villages two."""
    chiefs = [p for p in maker.city.people.values() if (p.echelon or "").startswith("IV.") and p.nip not in taken]
    for guide in sorted(chiefs, key=lambda p: p.nip):
        reports = sorted(maker.city.reports(guide), key=lambda p: p.nip)
        if maker.city.units[guide.unit].kind == "village" and maker.rng.random() < 0.86:
            continue
        for learner in maker.rng.sample(reports, min(len(reports), maker.rng.choice((2, 3)))):
            maker.pair(guide, learner, "supervisor")


def _may_learn_from(city: City, learner: Person, guide: Person) -> bool:
    return learner != guide and not learner.echelon and learner not in city.superiors(guide)


def _weighted(table: tuple[tuple[T, int], ...], rng: Random) -> T:
    return rng.choices([value for value, _ in table], [weight for _, weight in table])[0]
