"""Writing sessions and moving them on."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from time import sleep
from typing import TypeVar

from msgspec import Struct
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import Refused, unknown
from infra.storage.aggregates import Change, Exists, Stale, Stored, Taken
from infra.storage.guards import transaction

from ..domain import session as rules
from ..domain import texts
from ..domain.credit import Row
from ..domain.session import Content, Feedback, Session, Status
from ..domain.slots import clash, slots_of
from ..store import Store
from .access import Outdated, effective_time, may_see, visible_session
from .recording import New, Recorder, known_pairing, recorded
from .settling import Settling

T = TypeVar("T")

PAUSES = tuple(0.01 * 2**number for number in range(8))
"""Seconds between tries: an insert without guard that took a slot in between is soon there to be looked at."""


class Transition(Struct, frozen=True, kw_only=True):
    """What somebody asks of a session. based_on: version that the caller has seen, if they say so."""

    to: Status
    reason: str | None = None
    feedback: Feedback | None = None
    effective_at: datetime | None = None
    based_on: int | None = None


class Sessions:
    """The use cases around one session."""

    def __init__(self, store: Store, clock: Clock, table: Sequence[Row]) -> None:
        self._store = store
        self._clock = clock
        self._settling = Settling(store, table)
        self._recorder = Recorder(store, clock)

    def put(
        self, actor: Actor, session_id: str, content: Content, based_on: int | None
    ) -> tuple[Stored[Session], bool]:
        """Stores what the guide wrote: the session, and whether it is new. Raises Refused, Outdated."""
        if based_on is None:
            stored = self._record(actor, session_id, content)
            if stored is not None:
                return stored, True
        return self.rewrite(actor, session_id, content, based_on), False

    # --- new ones

    def _record(self, actor: Actor, session_id: str, content: Content) -> Stored[Session] | None:
        """Stores a new session by one insert, without a transaction; None when the id is there already."""
        new = New(id=session_id, content=content, actor=actor)
        try:
            result = self._recorder.record(new)
        except Refused:
            # A stranger hears the same of a session that is hidden as of one that is not there.
            stored = self._store.sessions.get(session_id)
            if stored is not None and may_see(actor, stored):
                return None
            raise
        if isinstance(result, Exists):
            return None
        return self._squeeze_in(new) if isinstance(result, Taken) else result

    def _squeeze_in(self, new: New) -> Stored[Session] | None:
        """Stores a session that shares a slot with another one but may not overlap it: looks at the minutes."""
        pairing = known_pairing(new.actor, self._store.pairing(new.content.pairing_id))
        session = rules.record(new.id, new.content, pairing, new.actor.sub, self._clock())

        def work(tx: ClientSession | None) -> Stored[Session] | None:
            if self._store.sessions.get(session.id, tx) is not None:
                return None
            self._refuse_clash(session, tx)
            if tx is None:
                return self._in_transaction(session.people, work)
            extra = self._store.places(session, None, tx)
            return self._store.sessions.insert(session, recorded(session, new.actor), session=tx, extra=extra)

        # Looked at without a transaction first: of many at the same instant only few get so far as to need one.
        return again(lambda: work(None))

    def _refuse_clash(self, session: Session, tx: ClientSession | None) -> None:
        if clash(session, self._store.near(session, tx)) is not None:
            raise Refused("session-overlap", texts.OVERLAP)

    # --- known ones

    def rewrite(self, actor: Actor, session_id: str, content: Content, based_on: int | None) -> Stored[Session]:
        """Changes a stored session to the guide's content; equal content changes nothing."""
        stored = visible_session(self._store, actor, session_id)
        if actor.sub == stored.state.guide_id and content == stored.state.content:
            return stored

        def work(tx: ClientSession) -> Stored[Session]:
            return self._rewrite(actor, session_id, content, based_on, tx)

        return self._guarded(stored.state.people, work)

    def _rewrite(
        self, actor: Actor, session_id: str, content: Content, based_on: int | None, tx: ClientSession
    ) -> Stored[Session]:
        stored = self._current(session_id, tx)
        before, now = stored.state, self._clock()
        if actor.sub == before.guide_id and content != before.content and based_on != stored.version:
            raise Outdated(stored, based_on)
        pairing = known_pairing(actor, self._store.pairing(before.pairing_id, tx))
        endorsed = self._store.endorsed(session_id, tx)
        after = rules.rewrite(before, content, pairing, actor.sub, now, endorsed=endorsed)
        if after == before:
            return stored
        if _time_of(after) != _time_of(before):
            self._refuse_clash(after, tx)
        change = Change(type=rules.happening(before, after), actor=actor, at=now, effective_at=now)
        return self._save(stored, after, change, tx)

    def step(self, actor: Actor, session_id: str, asked: Transition) -> Stored[Session]:
        """Moves a session on; the caller's own last step again changes nothing. Raises Refused, Outdated."""
        rules.check_request(asked.to, asked.reason, asked.feedback)
        stored = visible_session(self._store, actor, session_id)
        if rules.repeats(stored.state, asked.to, actor.sub):
            return stored
        people = stored.state.people if asked.to == "cancelled" else (stored.state.learner_id,)
        return self._guarded(people, lambda tx: self._step(actor, session_id, asked, tx))

    def _step(self, actor: Actor, session_id: str, asked: Transition, tx: ClientSession) -> Stored[Session]:
        stored, now = self._current(session_id, tx), self._clock()
        if rules.repeats(stored.state, asked.to, actor.sub):
            return stored
        if asked.based_on not in (None, stored.version):
            raise Outdated(stored, asked.based_on)
        after = rules.step(stored.state, asked.to, actor, now, asked.reason, asked.feedback)
        change = Change(
            type=rules.happening(stored.state, after),
            actor=actor,
            at=now,
            effective_at=effective_time(actor, asked.effective_at, stored.effective_at, now),
            note=asked.reason,
        )
        return self._save(stored, after, change, tx)

    # --- saving

    def _current(self, session_id: str, tx: ClientSession) -> Stored[Session]:
        stored = self._store.sessions.get(session_id, tx)
        if stored is None:
            raise unknown(texts.SESSION)
        return stored

    def _save(self, stored: Stored[Session], after: Session, change: Change, tx: ClientSession) -> Stored[Session]:
        moved = slots_of(stored.state) != slots_of(after)
        extra = self._store.places(after, stored, tx) if moved else None
        saved = self._store.sessions.replace(stored, after, change, session=tx, extra=extra)
        self._settling.settle(stored.state, after, change.at, tx)
        return saved

    def _guarded(self, people: Sequence[str], work: Callable[[ClientSession], T]) -> T:
        """Runs the work alone among all that concern these people."""
        return again(lambda: self._in_transaction(people, work))

    def _in_transaction(self, people: Sequence[str], work: Callable[[ClientSession], T]) -> T:
        return transaction(self._store.database, [f"person:{person}" for person in people], work)


def again(attempt: Callable[[], T]) -> T:
    """Tries until no insert without guard gets in between; 503 when there is no end of it."""
    for pause in PAUSES:
        try:
            return attempt()
        except (Exists, Taken, Stale):
            sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the tries, guards nothing
    raise Refused("busy", texts.BUSY, status=503, retry=True)


def _time_of(session: Session) -> tuple[bool, datetime, int]:
    return session.counting, session.started_at, session.minutes
