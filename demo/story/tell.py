"""Puts the story together: `tell(folder, end)` is the whole of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from demo.story.city import City, Person, read_city
from demo.story.days import Diary, Season, at
from demo.story.meetings import Meeting, hold
from demo.story.office import Office, choose_office, pair_office
from demo.story.pairs import Matchmaker, Pair, pair_representatives, pair_supervisors
from demo.story.phones import Mishap, Queue, mishaps, queues
from demo.story.skills import Levels, Need, levels_before, state_needs
from demo.story.training import Nominee, certified, nominate

CANCELLED = 14


@dataclass(frozen=True)
class Move:
    """A transfer in mid-season: whose, to which unit, under whom, from when."""

    person: Person
    unit: str
    supervisor: str
    at: datetime


@dataclass(frozen=True)
class Story:
    """All that will be posted, and what is expected of it."""

    folder: Path
    city: City
    season: Season
    nominees: list[Nominee]
    office: Office
    office_pairs: tuple[Pair, Pair, Pair]
    needs: list[Need]
    needs_from: datetime
    levels: Levels
    levels_from: datetime
    pairs: list[Pair]
    meetings: list[Meeting]
    queues: list[Queue]
    mishaps: list[Mishap]
    move: Move


def tell(folder: Path, end: date) -> Story:
    """The story of the twelve weeks that end on `end`, from the files in `folder`; the same for the same input."""
    rng = Random("bina")
    city = read_city(folder)
    season = Season(end)
    nominees = nominate(city, rng)
    office = choose_office(city, nominees)
    needs = state_needs(city, office.unit, rng)
    levels = levels_before(city, needs, office.unit, rng)
    maker = Matchmaker(city, season, needs, levels, rng)
    office_pairs = pair_office(maker, office)
    _pair_everybody(maker, nominees, office)
    meetings = _with_accidents(hold(maker.pairs, season, Diary(), rng), rng)
    return Story(
        folder=folder,
        city=city,
        season=season,
        nominees=nominees,
        office=office,
        office_pairs=office_pairs,
        needs=needs,
        needs_from=at(season.first - timedelta(days=14), 8),
        levels=levels,
        levels_from=at(season.first - timedelta(days=21), 8),
        pairs=maker.pairs,
        meetings=meetings,
        queues=queues(meetings, rng),
        mishaps=mishaps(meetings, season, rng),
        move=_transfer(city, maker.pairs, season),
    )


def _pair_everybody(maker: Matchmaker, nominees: Sequence[Nominee], office: Office) -> None:
    trained = certified(list(nominees))
    # The office's own representative has enough with it and one more.
    free = [maker.city.people[n.nip] for n in trained if n.nip != office.guide.nip]
    pair_representatives(maker, free)
    pair_supervisors(maker, {n.nip for n in trained} | {office.head.nip})
    maker.decline_once(pair.key for pair in maker.pairs[:3])


def _with_accidents(meetings: list[Meeting], rng: Random) -> list[Meeting]:
    """Some planned meetings are called off, and one learner disputes the length of a meeting."""
    plain = [n for n, m in enumerate(meetings) if not m.asks and m.reply == "prompt" and m.stretch == 0]
    disputed = next(n for n in plain if meetings[n].minutes == 60)
    for n in rng.sample([n for n in plain if n != disputed], CANCELLED):
        meetings[n] = replace(meetings[n], planned=True, reply="cancelled", level=None)
    meetings[disputed] = replace(meetings[disputed], planned=False, reply="dispute")
    return meetings


def _transfer(city: City, pairs: list[Pair], season: Season) -> Move:
    """A learner of a district goes to one of its villages, half way through the season."""
    for pair in pairs:
        learner = city.people[pair.learner]
        unit = city.units[learner.unit]
        if unit.kind == "district" and pair.ending == "slow" and pair.tempo > 0.5 and not city.reports(learner):
            village = next(code for code in city.below(unit.code) if code != unit.code)
            since = at(season.first + timedelta(days=42), 0)
            return Move(learner, village, city.head(village).nip, since)
    raise LookupError("nobody can be transferred")
