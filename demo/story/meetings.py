"""The meetings of twelve weeks: when, how long, what was noted, and what the learner answers."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random
from typing import TypeVar
from uuid import UUID

from demo.story import words
from demo.story.days import WEEKS, Diary, Season, starts
from demo.story.pairs import Pair

T = TypeVar("T")

STRETCHES = (range(5), range(5, 9), range(9, WEEKS))
"""The season is played in three stretches of weeks: guides post, learners answer, supervisors decide."""

FEWEST_TO_MASTER = 4
_MINUTES = ((20, 5), (25, 4), (30, 14), (40, 12), (45, 20), (50, 10), (60, 20), (75, 6), (90, 6), (120, 3))
_PLACES = (("in_person", 55), ("on_the_job", 33), ("online", 12))
_REPLIES = (("prompt", 84), ("late", 9), ("never", 7))


@dataclass(frozen=True)
class Meeting:
    """One session of the story.

    reply: what becomes of it: confirmed at once (`prompt`) or a stretch later (`late`), `never` answered, disputed
    and then corrected (`dispute`), or `cancelled` while it was only planned. planned: posted as such before it was
    held.
    """

    id: str
    pair: Pair
    started_at: datetime
    minutes: int
    place: str
    summary: str
    note: str | None
    level: int | None
    action: str | None
    stretch: int
    reply: str
    planned: bool
    rating: int | None
    comment: str | None

    @property
    def asks(self) -> bool:
        """Whether its confirmation asks the supervisor to endorse: the level is the pair's target."""
        return self.level == self.pair.target


def hold(pairs: list[Pair], season: Season, diary: Diary, rng: Random) -> list[Meeting]:
    """All meetings of these pairs, in office hours; nobody is in two at once."""
    meetings: list[Meeting] = []
    for pair in pairs:
        times = _times(pair, season, diary, rng)
        held = [_meeting(pair, start, minutes, season, rng) for start, minutes in times]
        meetings += _grade(held, rng)
    return meetings


def new_id(rng: Random) -> str:
    """A phone's own UUID (version 4 in form), reproducible from the story's seed."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def _times(pair: Pair, season: Season, diary: Diary, rng: Random) -> list[tuple[datetime, int]]:
    people = (pair.guide, pair.learner)
    begin = max(0, season.week_of(pair.proposed) + 1)
    found = []
    for week in range(begin, pair.weeks):
        for _ in range(_count(pair.tempo, rng)):
            minutes = _draw(_MINUTES, rng)
            start = _free_start(people, season.week(week), minutes, diary, rng)
            if start is not None:
                diary.book(people, start, minutes)
                found.append((start, minutes))
    return sorted(found)


def _free_start(
    people: tuple[str, ...], days: list[date], minutes: int, diary: Diary, rng: Random
) -> datetime | None:
    """A start at which both are free; None when twenty guesses found none."""
    possible = [at for day in days for at in starts(day, minutes)]
    for at in rng.choices(possible, k=20) if possible else ():
        if diary.free(people, at, minutes):
            return at
    return None


def _count(tempo: float, rng: Random) -> int:
    whole = int(tempo)
    return whole + (rng.random() < tempo - whole)


def _meeting(pair: Pair, start: datetime, minutes: int, season: Season, rng: Random) -> Meeting:
    week = season.week_of(start)
    rated = rng.random() < 0.4
    return Meeting(
        id=new_id(rng),
        pair=pair,
        started_at=start,
        minutes=minutes,
        place=_draw(_PLACES, rng),
        summary=words.summary(pair.competency, rng),
        note=rng.choice(words.NOTES) if rng.random() < 0.15 else None,
        level=None,
        action=rng.choice(words.ACTIONS) if rng.random() < 0.5 else None,
        stretch=next(n for n, weeks in enumerate(STRETCHES) if week in weeks),
        reply=_draw(_REPLIES, rng),
        planned=rng.random() < 0.06,
        rating=rng.choice((3, 4, 4, 5, 5)) if rated else None,
        comment=rng.choice(words.COMMENTS) if rated and rng.random() < 0.4 else None,
    )


def _grade(held: list[Meeting], rng: Random) -> list[Meeting]:
    """Writes down the levels that the guide saw: rising, at the target only where the pair masters it."""
    graded = []
    for place, meeting in enumerate(held):
        level = _level(meeting.pair, place + 1, len(held))
        last = place == len(held) - 1
        graded.append(replace(meeting, level=level if last or rng.random() < 0.7 else None))
    if len(held) < FEWEST_TO_MASTER:
        return graded
    if held[0].pair.ending in ("mastered", "waiting", "declined"):
        graded[-1] = _mastery(graded[-1])
    if held[0].pair.ending == "declined":
        first = next(n for n in reversed(range(len(held))) if held[n].stretch == 0)
        graded[first] = _mastery(graded[first])
    return graded


def _mastery(meeting: Meeting) -> Meeting:
    return replace(meeting, level=meeting.pair.target, reply="prompt", planned=False)


def _level(pair: Pair, place: int, of: int) -> int:
    top = pair.target - 1 if pair.ending != "slow" else min(pair.start + 1, pair.target - 1)
    # The top is reached after three quarters of the meetings, so that a target does not come out of the blue.
    return min(top, pair.start + (top - pair.start) * place * 4 // (of * 3))


def _draw(table: tuple[tuple[T, int], ...], rng: Random) -> T:
    return rng.choices([value for value, _ in table], [weight for _, weight in table])[0]
