"""Deciding on mastery, and asking another one when a supervisor changes."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import unknown
from infra.storage.aggregates import Change, Fresh, Stored
from infra.storage.failures import may_pass
from infra.storage.guards import transaction

from ..domain import endorsement as rules
from ..domain import texts
from ..domain.endorsement import Decision, Endorsement
from ..store import Store
from .access import effective_time, visible_endorsement
from .settling import by_system, followed_by

log = logging.getLogger(__name__)

FOLLOW = "endorsers"
"""The timer that looks at all open questions."""
FOLLOW_EVERY = timedelta(minutes=5)


class Answer(Struct, frozen=True, kw_only=True):
    """What the endorser says."""

    to: Decision
    reason: str | None = None
    effective_at: datetime | None = None


class Endorsements:
    """The use cases around one endorsement."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def decide(self, actor: Actor, endorsement_id: str, answer: Answer, fresh: Fresh) -> Stored[Endorsement]:
        """Endorses or declines; the same answer again changes nothing. Raises Refused."""
        stored = visible_endorsement(self._store, actor, endorsement_id)
        if rules.repeats(stored.state, answer.to, actor.sub):
            return stored

        def work(tx: ClientSession) -> Stored[Endorsement]:
            return self._decide(actor, endorsement_id, answer, fresh, tx)

        return transaction(self._store.database, guard_of(stored.state), work)

    def _decide(
        self, actor: Actor, endorsement_id: str, answer: Answer, fresh: Fresh, tx: ClientSession
    ) -> Stored[Endorsement]:
        stored, now = self._current(endorsement_id, tx), self._clock()
        if rules.repeats(stored.state, answer.to, actor.sub):
            return stored
        fresh(stored)
        after = rules.decided(stored.state, answer.to, actor, answer.reason, now)
        change = Change(
            type=f"endorsement.{answer.to}",
            actor=actor,
            at=now,
            effective_at=effective_time(actor, answer.effective_at, stored.effective_at, now),
            note=answer.reason,
        )
        return self._store.endorsements.replace(stored, after, change, session=tx, extra=followed_by(after))

    def follow_supervisors(self, changed: Iterable[str]) -> None:
        """Asks the open questions of whoever is to be asked now that these people's placements have changed."""
        for stored in self._store.endorsements.find({"people": {"$in": list(changed)}, "state": "open"}):
            self._follow(stored.state)

    def follow_all(self) -> None:
        """Does so for every open question, and sets the timer for the next time.

        What an event doesn't find: who changed stands in the chain and was never asked, or the question was not
        stored yet when the event was handled. A question that can't be handed on keeps none of the others waiting.
        """
        for stored in self._store.endorsements.find({"state": "open"}):
            try:
                self._follow(stored.state)
            except Exception as error:
                if may_pass(error):
                    raise
                log.exception("a question stays where it is", extra={"endorsement": stored.state.id})
        self._store.timers.set(FOLLOW, "all", self._clock() + FOLLOW_EVERY)

    def _follow(self, request: Endorsement) -> None:
        if self._wanted(request, None) != request.endorser_id:
            self._hand_on(request)

    def _hand_on(self, request: Endorsement) -> None:
        def work(tx: ClientSession) -> None:
            stored = self._current(request.id, tx)
            wanted = self._wanted(stored.state, tx)
            if stored.state.state != "open" or wanted == stored.state.endorser_id:
                return
            after = rules.handed_on(stored.state, wanted)
            change = by_system("endorsement.opened", self._clock())
            self._store.endorsements.replace(stored, after, change, session=tx, extra=followed_by(after))

        transaction(self._store.database, guard_of(request), work)

    def _wanted(self, request: Endorsement, tx: ClientSession | None) -> str | None:
        now = self._clock()
        return rules.endorser(self._store.chain(request.learner_id, now, tx), request.guide_id, now)

    def _current(self, endorsement_id: str, tx: ClientSession) -> Stored[Endorsement]:
        stored = self._store.endorsements.get(endorsement_id, tx)
        if stored is None:
            raise unknown(texts.ENDORSEMENT)
        return stored


def guard_of(request: Endorsement) -> list[str]:
    """What a decision is guarded by: everything about mastery goes by the learner."""
    return [f"person:{request.learner_id}"]
