"""Participants: nomination, and every step after it. One transaction a step, alone on its batch."""

import secrets
from datetime import datetime

import msgspec
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.clock import day_of
from infra.problems import unknown
from infra.storage.aggregates import Change, Fresh, Stored

from .. import words
from ..context import SYSTEM, Context, When, batch_key, employee_key
from ..domain import access, participants
from ..domain.batches import Batch
from ..domain.employees import Employee
from ..domain.participants import Certificate, Participant, ParticipantState, Step
from .saving import Post, found, repeated

CODE_BYTES = 10
"""Random bytes in a certificate's code: 80 bits can't be guessed."""


class Nomination(msgspec.Struct, frozen=True, kw_only=True):
    """Whom somebody nominates, and why."""

    batch_id: str
    employee_id: str
    reason: str | None = None
    effective_at: datetime | None = None


def nominate(context: Context, actor: Actor, post: Post, asked: Nomination) -> Stored[Participant]:
    """A new participant, nominated."""
    when = context.when(asked.effective_at)

    def work(session: ClientSession) -> Stored[Participant]:
        if again := repeated(context.store.participants, post, session):
            return again
        batch = found(context.store.batches.get(asked.batch_id, session), words.BATCH).state
        employee = context.store.employees.get(asked.employee_id, session)
        if employee is None:
            raise words.missing("employee-unknown", words.EMPLOYEE)
        access.check_unit(actor, employee.state.now.unit, scope)
        others = _participations(context, asked.employee_id, session)
        placement = participants.check_nomination(batch, employee.state, when.effective_at, others)
        tree = context.store.tree(when.effective_at, session)
        state = Participant(
            id=post.id,
            batch_id=batch.id,
            employee_id=asked.employee_id,
            unit=tree.seat_unit(placement.unit),
            own_unit=placement.unit,
            reason=asked.reason,
            nominated_at=when.effective_at,
            recorded_at=when.now,
            history=(_step("nominated", actor, when),),
        )
        change = when.change("participant.nominated", actor, note=asked.reason)
        return context.store.participants.insert(state, change, session=session, extra=post.extra)

    scope = context.scope(actor)
    return context.alone([batch_key(asked.batch_id), employee_key(asked.employee_id)], work)


def move_participant(
    context: Context,
    actor: Actor,
    participant_id: str,
    to: ParticipantState,
    effective_at: datetime | None,
    reason: str | None,
    fresh: Fresh,
) -> Stored[Participant]:
    """The participant after the step; with a withdrawal the first in line moves up."""
    asked = context.when(effective_at)
    first = found(context.store.participants.get(participant_id), words.PARTICIPANT).state
    scope = context.scope(actor)
    keys = [batch_key(first.batch_id)]
    if to == "certified":
        keys.append(_series(asked.after(first.history[-1].at).effective_at))

    def work(session: ClientSession) -> Stored[Participant]:
        stored = found(context.store.participants.get(participant_id, session), words.PARTICIPANT)
        when = asked.after(stored.state.history[-1].at)
        step = _step(to, actor, when)
        if participants.repeats(stored.state, step):
            return stored
        fresh(stored)
        batch = found(context.store.batches.get(stored.state.batch_id, session), words.BATCH).state
        participants.check_step(stored.state, batch, step)
        state = _next(context, stored.state, batch, step, session)
        change = when.change(f"participant.{state.state}", actor, note=reason)
        saved = context.store.participants.replace(stored, state, change, session=session)
        if stored.state.state == "accepted" and state.state == "withdrawn" and batch.state in ("open", "closed"):
            _move_up(context, batch, when, session)
        return saved

    _check_right(context, actor, first, to, effective_at is not None, scope)
    return context.alone(keys, work)


def _check_right(
    context: Context,
    actor: Actor,
    participant: Participant,
    to: str,
    dated: bool,  # noqa: FBT001
    scope: frozenset[str],
) -> None:
    """404 for whom the participation is hidden, 403 for who may see but not do this."""
    if not context.sight(actor, reports=False).of_participant(participant.employee_id, participant.own_unit):
        raise unknown(words.PARTICIPANT)
    access.check_participant_step(actor, to, participant.employee_id, participant.own_unit, scope)
    access.check_dating(actor, given=dated)


def _next(
    context: Context, participant: Participant, batch: Batch, step: Step, session: ClientSession
) -> Participant:
    if step.to == "accepted":
        return participants.accept(participant, batch, context.store.seats(batch.id, session), step)
    if step.to == "certified":
        series = _series(step.at)
        number = context.store.next_number(series, session)
        code = secrets.token_hex(CODE_BYTES)
        certificate = Certificate(number=f"BINA-{series[-4:]}-{number:04d}", code=code)
        return participants.certify(participant, step, certificate)
    return participants.stepped(participant, step)


def _move_up(context: Context, batch: Batch, when: When, session: ClientSession) -> None:
    """Gives the seat that has become free to the first in line for whose unit there is one."""
    waiting = {stored.state.id: stored for stored in context.store.waiting(batch.id, session)}
    seats = context.store.seats(batch.id, session)
    first = participants.next_in_line(batch, seats, (stored.state for stored in waiting.values()))
    if first is None:
        return
    state = participants.promote(first, when.effective_at, when.now, SYSTEM.sub)
    at = When(when.now, state.history[-1].at)
    change: Change = at.change("participant.accepted", SYSTEM)
    context.store.participants.replace(waiting[first.id], state, change, session=session)


def verified(context: Context, number: str, code: str) -> tuple[Participant, Batch, Employee]:
    """Whose certificate it is, and of which batch; 404 unless both number and code are right."""
    found_ = context.store.participants.find({"certificate.number": number}, limit=1)
    known = found_[0].state.certificate.code if found_ and found_[0].state.certificate else ""
    if not secrets.compare_digest(known.encode(), code.encode()) or not known:
        raise unknown(words.CERTIFICATE)
    participant = found_[0].state
    batch = found(context.store.batches.get(participant.batch_id), words.BATCH).state
    employee = found(context.store.employees.get(participant.employee_id), words.EMPLOYEE).state
    return participant, batch, employee


def _participations(context: Context, employee_id: str, session: ClientSession) -> list[tuple[Participant, Batch]]:
    own = [one.state for one in context.store.participants.find({"employee_id": employee_id}, session=session)]
    batches = context.store.batches.many({one.batch_id for one in own}, session)
    return [(one, batches[one.batch_id].state) for one in own]


def _step(to: ParticipantState, actor: Actor, when: When) -> Step:
    return Step(state=to, to=to, at=when.effective_at, recorded_at=when.now, by=actor.sub)


def _series(at: datetime) -> str:
    """The series of numbers that a certificate belongs to: one a year."""
    return f"certificates:{day_of(at).year:04d}"
