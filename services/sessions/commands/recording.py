"""Storing new sessions: those that come at the same moment by one read and one insert, without a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import Refused, unknown
from infra.storage.aggregates import Change, Exists, Stored, Taken
from infra.storage.together import Together

from ..domain import session as rules
from ..domain import texts
from ..domain.copies import Pairing
from ..domain.session import Content, Session
from ..domain.slots import slots_of
from ..store import Store

MOST_KEYS = 400
"""Slots in one insert: MongoDB takes it as one transaction, and those with many keys for a unique index stop each
other for seconds (docs/performance.md). It is enough for 100 sessions of 45 minutes, or 11 of 8 hours."""

TOGETHER = 20
"""Sessions that come at the same moment in one insert; more threads than that are seldom here."""

Item = tuple[Session, Change, Mapping[str, Any]]
"""What `insert_many` takes of a session."""


class New(Struct, frozen=True, kw_only=True):
    """A session that its guide writes for the first time."""

    id: str
    content: Content
    actor: Actor


class Recorder:
    """Stores new sessions, each on its own: what is stored, or why it isn't."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._together = Together(self._record, TOGETHER)

    def record(self, new: New) -> Stored[Session] | Exists | Taken:
        """Stores one, together with others that come at the same moment. Raises Refused."""
        result = self._together(new)
        if isinstance(result, Refused):
            raise result
        return result

    def _record(self, asked: Sequence[New]) -> list[Stored[Session] | Exists | Taken | Refused]:
        pairings = self._store.pairings_by_id({new.content.pairing_id for new in asked})
        now = self._clock()
        decided = [_decided(new, pairings.get(new.content.pairing_id), now) for new in asked]
        items = [
            first_of(session, new.actor, slots_of(session))
            for new, session in zip(asked, decided, strict=True)
            if isinstance(session, Session)
        ]
        results = iter(self._store.sessions.insert_many(items))
        return [next(results) if isinstance(one, Session) else one for one in decided]


def _decided(new: New, pairing: Pairing | None, now: datetime) -> Session | Refused:
    try:
        return rules.record(new.id, new.content, known_pairing(new.actor, pairing), new.actor.sub, now)
    except Refused as refusal:
        return refusal


def known_pairing(actor: Actor, pairing: Pairing | None) -> Pairing:
    """The pairing, for those who are in it or may see all; refused as unknown to others."""
    if pairing is None:
        raise Refused("pairing-unknown", texts.PAIRING_UNKNOWN, retry=True)
    if pairing.role_of(actor.sub) is None and not actor.has("hr", "auditor"):
        raise unknown(texts.PAIRING)
    return pairing


def recorded(session: Session, actor: Actor) -> Change:
    """The first event of a session."""
    at = session.recorded_at
    return Change(type=rules.happening(None, session), actor=actor, at=at, effective_at=at)


def first_of(session: Session, actor: Actor, slots: Sequence[bytes]) -> Item:
    """What `insert_many` takes of a new session that wants all of its slots: state, event, derived fields."""
    return session, recorded(session, actor), {"people": list(session.people), "slots": slots}


def in_shares(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Parts for one insert each, with MOST_KEYS slots at the most."""
    share: list[Item] = []
    keys = 0
    for item in items:
        wanted = len(item[2]["slots"])
        if share and keys + wanted > MOST_KEYS:
            yield share
            share, keys = [], 0
        share.append(item)
        keys += wanted
    if share:
        yield share
