"""How the meetings reach the city: phones that were offline, phones that send twice, and what must be refused."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from random import Random

from demo.story.days import Season, at
from demo.story.meetings import Meeting, new_id
from demo.story.pairs import Pair

QUEUE = 100
"""The most sessions that one phone sends in one request."""


@dataclass(frozen=True)
class Queue:
    """What one guide's phone sends after a stretch. way: `sync` (in bulk) or `put` (one by one)."""

    guide: str
    stretch: int
    way: str
    meetings: tuple[Meeting, ...]
    twice: bool


@dataclass(frozen=True)
class Mishap:
    """A request that must be refused, and by which rule.

    act: `post` a session (way `put` or `sync`), `confirm` or `change` one that is there; `base`: the version that
    a change claims to know (`current`, `old` or `none`). poster: whose phone it is.
    """

    rule: str
    act: str
    way: str
    poster: str
    meeting: Meeting
    base: str = "none"


def queues(meetings: list[Meeting], rng: Random) -> list[Queue]:
    """One queue for each guide and stretch; most in bulk, some twice, some out of order."""

    def owner(meeting: Meeting) -> tuple[int, str]:
        return meeting.stretch, meeting.pair.guide

    found = []
    for (stretch, guide), group in groupby(sorted(meetings, key=lambda m: (*owner(m), m.started_at)), owner):
        queue = list(group)
        if rng.random() < 0.18:
            rng.shuffle(queue)
        way = "put" if rng.random() < 0.12 else "sync"
        found.append(Queue(guide, stretch, way, tuple(queue[:QUEUE]), rng.random() < 0.12))
    return found


def mishaps(meetings: list[Meeting], season: Season, rng: Random) -> list[Mishap]:
    """What goes wrong in the field, three or four of a kind, half of it from offline queues."""
    steady = [m for m in meetings if m.pair.ending in ("nearly", "slow") and m.stretch == 0]
    kinds = [
        *_overlaps(steady, rng),
        *_wrong_times(steady, season, rng),
        *_wrong_people(steady, rng),
        *_wrong_versions(meetings),
        *_wrong_bodies(steady, rng),
    ]
    return [replace(mishap, way=("put", "sync")[n % 2]) for n, mishap in enumerate(kinds)]


def _overlaps(steady: list[Meeting], rng: Random) -> Iterator[Mishap]:
    """The guide claims to have met another learner at the same time."""
    pairs: dict[str, dict[str, Pair]] = {}
    for meeting in steady:
        pairs.setdefault(meeting.pair.guide, {})[meeting.pair.key] = meeting.pair
    double = [m for m in steady if m.reply == "prompt" and len(pairs[m.pair.guide]) > 1]
    for meeting in rng.sample(double, 4):
        other = next(p for p in pairs[meeting.pair.guide].values() if p.key != meeting.pair.key)
        shifted = meeting.started_at + timedelta(minutes=10)
        yield Mishap(
            "session-overlap", "post", "put", other.guide, _fresh(meeting, rng, pair=other, started_at=shifted)
        )


def _wrong_times(steady: list[Meeting], season: Season, rng: Random) -> Iterator[Mishap]:
    """A clock that is days ahead; a meeting from before the pairing was active."""
    later = at(season.end + timedelta(days=3), 9)
    earlier = at(season.proposed.date() - timedelta(days=20), 9)
    for meeting in rng.sample(steady, 3):
        changed = _fresh(meeting, rng, started_at=later)
        yield Mishap("session-in-future", "post", "put", meeting.pair.guide, changed)
    for meeting in rng.sample(steady, 3):
        changed = _fresh(meeting, rng, started_at=earlier)
        yield Mishap("pairing-not-active", "post", "put", meeting.pair.guide, changed)


def _wrong_people(steady: list[Meeting], rng: Random) -> Iterator[Mishap]:
    """The learner writes a session; the guide confirms one."""
    for meeting in rng.sample(steady, 3):
        moved = _fresh(meeting, rng, started_at=meeting.started_at + timedelta(days=1))
        yield Mishap("not-the-guide", "post", "put", meeting.pair.learner, moved)
    unanswered = [m for m in steady if m.reply == "never"]
    for meeting in rng.sample(unanswered, 3):
        yield Mishap("not-the-learner", "confirm", "put", meeting.pair.guide, meeting)


def _wrong_versions(meetings: list[Meeting]) -> Iterator[Mishap]:
    """A second phone knows only the first version; one knows none; one changes what was endorsed."""
    twice = [m for m in meetings if m.planned and m.reply == "prompt" and m.stretch == 0 and not m.asks]
    for meeting in twice[:3]:
        yield Mishap("stale", "change", "put", meeting.pair.guide, _longer(meeting), "old")
    for meeting in twice[3:5]:
        yield Mishap("if-match-required", "change", "put", meeting.pair.guide, _longer(meeting))
    endorsed = [m for m in meetings if m.asks and m.pair.ending == "mastered" and m.stretch == 0]
    for meeting in endorsed[:2]:
        yield Mishap("endorsed", "change", "put", meeting.pair.guide, _longer(meeting), "current")


def _wrong_bodies(steady: list[Meeting], rng: Random) -> Iterator[Mishap]:
    """Four minutes are no session; a planned one can't be confirmed."""
    for meeting in rng.sample(steady, 2):
        moved = meeting.started_at + timedelta(days=1)
        yield Mishap(
            "invalid", "post", "put", meeting.pair.guide, _fresh(meeting, rng, started_at=moved, minutes=4)
        )
    cancelled = [m for m in steady if m.reply == "cancelled"]
    for meeting in cancelled[:2]:
        yield Mishap("transition", "confirm", "put", meeting.pair.learner, meeting)


def _fresh(meeting: Meeting, rng: Random, **changes: object) -> Meeting:
    return replace(meeting, id=new_id(rng), planned=False, level=None, **changes)  # type: ignore[arg-type]


def _longer(meeting: Meeting) -> Meeting:
    return replace(meeting, minutes=meeting.minutes + 5, planned=False)
