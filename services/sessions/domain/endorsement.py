"""Mastery: who is asked to endorse a level, when, and what may be answered (Programme rules, Mastery)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, structs

from infra.actor import Actor
from infra.problems import Refused, forbidden

from . import texts
from .copies import Employee, Pairing
from .session import Session

State = Literal["open", "endorsed", "declined", "withdrawn"]
Decision = Literal["endorsed", "declined"]


class Endorsement(Struct, frozen=True, kw_only=True):
    """The question whether a learner has mastered a level. endorser_id None: HR's to answer.

    at: when the assessed session started. former_endorsers: asked before, need not see it any more.
    """

    id: str
    pairing_id: str
    session_id: str
    learner_id: str
    guide_id: str
    endorser_id: str | None
    competency: str
    level: int
    state: State
    at: datetime
    opened_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    former_endorsers: tuple[str, ...] = ()

    def viewers(self) -> frozenset[str]:
        """Those whom it concerns now."""
        people = {self.learner_id, self.guide_id, self.endorser_id}
        return frozenset(person for person in people if person is not None)


def endorser(chain: Sequence[Employee], guide_id: str, now: datetime) -> str | None:
    """Who is asked: the nearest supervisor in service but the guide. chain: from the direct one upwards."""
    candidates = (boss.id for boss in chain if boss.active_at(now) and boss.id != guide_id)
    return next(candidates, None)


def candidate(target_level: int, confirmed: Sequence[Session], requests: Sequence[Endorsement]) -> Session | None:
    """The session of a pairing for which its supervisor is to be asked now, if any.

    One question at a time, none after a yes; after a no only what was confirmed later asks again.
    """
    if any(request.state in ("open", "endorsed") for request in requests):
        return None
    refusals = [one.decided_at for one in requests if one.state == "declined" and one.decided_at]
    asks = [
        one
        for one in confirmed
        if one.assessed_level is not None
        and one.assessed_level >= target_level
        and one.confirmed_at is not None
        and all(one.confirmed_at > refused for refused in refusals)
    ]
    return min(asks, key=lambda one: (one.started_at, one.id), default=None)


def opened(
    endorsement_id: str, session: Session, level: int, endorser_id: str | None, now: datetime
) -> Endorsement:
    """The question about one session's level."""
    return Endorsement(
        id=endorsement_id,
        pairing_id=session.pairing_id,
        session_id=session.id,
        learner_id=session.learner_id,
        guide_id=session.guide_id,
        endorser_id=endorser_id,
        competency=session.competency,
        level=level,
        state="open",
        at=session.started_at,
        opened_at=now,
    )


def holds(request: Endorsement, session: Session) -> bool:
    """Whether the question still stands on what the session says now."""
    return (
        session.status == "confirmed"
        and session.assessed_level == request.level
        and session.started_at == request.at
    )


def handed_on(request: Endorsement, endorser_id: str | None) -> Endorsement:
    """The open question, now asked of another one, since the learner's supervisor has changed."""
    before = (request.endorser_id,) if request.endorser_id else ()
    former = tuple(dict.fromkeys([*request.former_endorsers, *before]))
    return structs.replace(request, endorser_id=endorser_id, former_endorsers=former)


def decided(request: Endorsement, to: Decision, actor: Actor, reason: str | None, now: datetime) -> Endorsement:
    """The answer. Refused: transition; 403 for those who weren't asked, and for guide and learner always."""
    if actor.sub in (request.guide_id, request.learner_id):
        raise forbidden(texts.OWN_MASTERY)
    if actor.sub != request.endorser_id and not actor.has("hr"):
        raise forbidden(texts.NOT_THE_ENDORSER)
    if request.state != "open":
        raise Refused("transition", texts.STEP.format(state=request.state, to=to))
    return structs.replace(request, state=to, decided_at=now, decided_by=actor.sub, reason=reason)


def withdrawn(request: Endorsement, now: datetime) -> Endorsement:
    """The question taken back, because its session is no longer confirmed as it was."""
    return structs.replace(request, state="withdrawn", decided_at=now)


def repeats(request: Endorsement, to: str, by: str) -> bool:
    """Whether the caller gives the same answer once more."""
    return request.state == to and request.decided_by == by


def target_of(pairing: Pairing | None) -> int | None:
    """The level that the pairing aims at; None where it is unknown or has been reached before."""
    if pairing is None or pairing.state == "completed":
        return None
    return pairing.target_level
