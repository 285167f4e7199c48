"""Sessions put into the database by our own code, many at once and without HTTP."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from bench.cast import MINUTES, Cast, Pair
from infra.actor import Actor
from infra.clock import from_wire, system_clock
from services.sessions.commands.recording import first_of
from services.sessions.domain.session import Session
from services.sessions.domain.slots import slots_of
from services.sessions.store import Store

_AT_ONCE = 1_000


def session_of(pair: Pair, now: datetime) -> Session:
    """The pair's next session, as it is stored."""
    body = pair.session()
    return Session(
        id=str(uuid.uuid4()),
        pairing_id=pair.id,
        guide_id=pair.guide,
        learner_id=pair.learner,
        kind="mentoring",
        competency="menyusun-surat-dinas",
        status="held",
        started_at=from_wire(body["started_at"]),
        minutes=MINUTES,
        place="in_person",
        recorded_at=now,
        held_at=now,
        summary=body["summary"],
        assessed_level=2,
    )


def store_sessions(store: Store, cast: Cast, count: int) -> list[str]:
    """Stores so many sessions with the event of each still to be sent; their ids."""
    now, ids = system_clock(), []
    pairs: Sequence[Pair] = cast.pairs
    for start in range(0, count, _AT_ONCE):
        made = [session_of(pairs[n % len(pairs)], now) for n in range(start, min(start + _AT_ONCE, count))]
        store.sessions.insert_many([first_of(one, Actor(one.guide_id), slots_of(one)) for one in made])
        ids += [one.id for one in made]
    return ids
