"""Pairings: propose, consent, activate, end. Activation is alone on both people."""

from datetime import date, datetime
from typing import Any

import msgspec
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.problems import unknown
from infra.storage.aggregates import Fresh, Stored

from .. import words
from ..context import SYSTEM, Context, When, employee_key
from ..domain import access, guides, histories, pairings
from ..domain.employees import Employee
from ..domain.pairings import Pairing, PairingKind, PairingStep
from .saving import Post, found, repeated, update

SILENCE = "pairing-silence"
"""Kind of the timer that hands a proposal to HR."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to guide whom, towards what."""

    kind: PairingKind
    guide_id: str
    learner_id: str
    competency: str
    target_level: int
    due_on: date
    goal: str | None = None
    effective_at: datetime | None = None


def propose(context: Context, actor: Actor, post: Post, asked: Proposal) -> Stored[Pairing]:
    """A new pairing, proposed; after seven days of silence it goes to HR."""
    when = context.when(asked.effective_at)
    scope = context.scope(actor)

    def work(session: ClientSession) -> Stored[Pairing]:
        if again := repeated(context.store.pairings, post, session):
            return again
        _check_proposal(context, actor, asked, scope, session)
        fields = msgspec.structs.asdict(asked)
        del fields["effective_at"]
        first = _step("proposed", actor, when)
        state = Pairing(id=post.id, history=(first,), **fields)
        context.store.timers.set(SILENCE, state.id, when.now + pairings.SILENCE, session=session)
        change = when.change("pairing.proposed", actor)
        return context.store.pairings.insert(state, change, session=session, extra=post.extra)

    # Nothing but a repeat of the same request could be in its way.
    return context.alone([f"pairing:{post.id}"] if post.request else [], work)


def _check_proposal(
    context: Context, actor: Actor, asked: Proposal, scope: frozenset[str], session: ClientSession
) -> None:
    people = context.store.employees.many({asked.guide_id, asked.learner_id}, session)
    if not {asked.guide_id, asked.learner_id} <= people.keys():
        raise words.missing("employee-unknown", words.EMPLOYEE)
    access.check_unit(actor, people[asked.learner_id].state.now.unit, scope)
    competency = context.store.competencies.get(asked.competency, session)
    if competency is None:
        raise words.missing("competency-unknown", words.COMPETENCY)
    pairings.check_proposal(asked.kind, asked.guide_id, asked.learner_id, competency.state)


def move_pairing(
    context: Context,
    actor: Actor,
    pairing_id: str,
    to: str,
    effective_at: datetime | None,
    reason: str | None,
    fresh: Fresh,
) -> Stored[Pairing]:
    """The pairing after a consent, an activation or an end."""
    asked = context.when(effective_at)
    first = found(context.store.pairings.get(pairing_id), words.PAIRING).state
    _check_right(context, actor, first, to, dated=effective_at is not None)

    def work(session: ClientSession) -> Stored[Pairing]:
        stored = found(context.store.pairings.get(pairing_id, session), words.PAIRING)
        when = asked.after(stored.state.history[-1].at)
        step = _step(to, actor, when)
        if pairings.repeats(stored.state, step):
            return stored
        fresh(stored)
        state, kind = _next(context, stored.state, step, reason, session)
        if state.state != "proposed":
            context.store.timers.cancel(SILENCE, pairing_id, session=session)
        change = when.change(f"pairing.{kind}", actor, note=reason)
        return context.store.pairings.replace(stored, state, change, session=session)

    return context.alone([employee_key(first.guide_id), employee_key(first.learner_id)], work)


def _check_right(context: Context, actor: Actor, pairing: Pairing, to: str, *, dated: bool) -> None:
    """404 for whom the pairing is hidden, 403 for who may see but not do this."""
    sides = pairing.sides_of(actor.sub) if actor.has("employee") else frozenset[str]()
    if not sides and not can_see(context, actor, pairing):
        raise unknown(words.PAIRING)
    access.check_pairing_step(actor, to, sides)
    access.check_dating(actor, given=dated, sides=sides)


def can_see(context: Context, actor: Actor, pairing: Pairing) -> bool:
    """Whether the actor may read this pairing."""
    if access.is_own(actor, pairing.guide_id) or access.is_own(actor, pairing.learner_id):
        return True
    people = context.store.employees.many({pairing.guide_id, pairing.learner_id})
    units = (people[pairing.guide_id].state.now.unit, people[pairing.learner_id].state.now.unit)
    return context.sight(actor).of_pairing(pairing.guide_id, pairing.learner_id, units)


def _next(
    context: Context, pairing: Pairing, step: PairingStep, reason: str | None, session: ClientSession
) -> tuple[Pairing, str]:
    """The pairing after the step, and what that is called."""
    if step.to in ("declined", "ended"):
        return pairings.ended(pairing, step, reason), "ended"
    if step.to == "active":
        return _activate(context, pairing, step, session), "activated"
    if step.to != "accepted":
        raise histories.wrong_transition(pairing.state, step.to)
    consented = pairings.consented(pairing, step)
    if not (consented.guide_accepted and consented.learner_accepted):
        return consented, "accepted"
    return _activate(context, consented, step, session), "activated"


def _activate(context: Context, pairing: Pairing, step: PairingStep, session: ClientSession) -> Pairing:
    """Checks, for both sides, all that a proposal may leave open, and activates."""
    state = pairings.activated(pairing, step)
    store = context.store
    competency = found(store.competencies.get(pairing.competency, session), words.COMPETENCY).state
    pairings.check_aspect(pairing.kind, competency)
    people = store.with_supervisors([pairing.guide_id, pairing.learner_id], session)
    guide, learner = people[pairing.guide_id], people[pairing.learner_id]
    _check_active(guide, learner, step.at)
    standing = store.standings({guide.id: guide}, session)[guide.id]
    tree = store.tree(step.at, session)
    if not guides.may_guide(standing, learner, pairing.competency, step.at, tree=tree, people=people):
        raise pairings.guide_not_allowed()
    busy = store.pairings.find({"state": "active", **_either(pairing)}, session=session)
    pairings.check_capacity(pairing, (stored.state for stored in busy), context.limits)
    return state


def _check_active(guide: Employee, learner: Employee, at: datetime) -> None:
    if not guide.was_active(at):
        raise histories.not_active(words.GUIDE)
    if not learner.was_active(at):
        raise histories.not_active(words.LEARNER)


def _either(pairing: Pairing) -> dict[str, Any]:
    return {"$or": [{"guide_id": pairing.guide_id}, {"learner_id": pairing.learner_id}]}


def escalate(context: Context, pairing_id: str) -> None:
    """Hands a proposal to HR if it is still undecided."""
    when = context.when()
    update(
        context.store.pairings, pairing_id, pairings.escalated, lambda _: when.change("pairing.escalated", SYSTEM)
    )


def complete(context: Context, pairing_id: str, at: datetime) -> None:
    """Completes a pairing whose mastery was endorsed; nothing happens when it is no longer active."""
    now = context.clock()
    update(
        context.store.pairings,
        pairing_id,
        lambda pairing: pairings.completed(pairing, at, now, SYSTEM.sub),
        lambda pairing: When(now, pairing.history[-1].at).change("pairing.completed", SYSTEM),
    )


def _step(to: str, actor: Actor, when: When) -> PairingStep:
    return PairingStep(state="proposed", to=to, at=when.effective_at, recorded_at=when.now, by=actor.sub)
