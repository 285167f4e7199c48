"""Batches: make one, and lead it through its states with all its participants."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.storage.aggregates import Fresh, Stored

from .. import words
from ..context import SYSTEM, Context, When, batch_key
from ..domain import batches, participants
from ..domain.batches import Batch, BatchState, BatchStep
from .saving import Post, found, repeated


def create_batch(context: Context, actor: Actor, post: Post, body: Mapping[str, Any]) -> Stored[Batch]:
    """A new batch, still a draft."""

    def work(session: ClientSession) -> Stored[Batch]:
        if again := repeated(context.store.batches, post, session):
            return again
        when = context.when(body["effective_at"])
        step = BatchStep(state="draft", at=when.effective_at, recorded_at=when.now, by=actor.sub)
        state = Batch(
            id=post.id,
            name=body["name"],
            starts_on=body["starts_on"],
            ends_on=body["ends_on"],
            venue=body["venue"],
            seats=body["seats"],
            seats_per_unit=body["seats_per_unit"],
            echelons=tuple(body["echelons"] or ()),
            position_kinds=tuple(body["position_kinds"] or ()),
            partners=tuple(body["partners"]),
            jp=body["jp"],
            history=(step,),
        )
        change = when.change("batch.created", actor)
        return context.store.batches.insert(state, change, session=session, extra=post.extra)

    return context.alone([batch_key(post.id)], work)


def move_batch(
    context: Context,
    actor: Actor,
    batch_id: str,
    to: BatchState,
    effective_at: datetime | None,
    note: str | None,
    fresh: Fresh,
) -> Stored[Batch]:
    """The batch in its next state, and its participants where that state puts them."""
    asked = context.when(effective_at)

    def work(session: ClientSession) -> Stored[Batch]:
        stored = found(context.store.batches.get(batch_id, session), words.BATCH)
        if batches.repeats(stored.state, to, actor.sub):
            return stored
        fresh(stored)
        when = asked.after(stored.state.history[-1].at)
        step = BatchStep(state=to, at=when.effective_at, recorded_at=when.now, by=actor.sub)
        undecided = len(context.store.in_state(batch_id, "accepted", session)) if to == "finished" else 0
        state = batches.moved(stored.state, to, step, undecided=undecided)
        _sweep(context, batch_id, to, when, session)
        change = when.change(f"batch.{batches.HAPPENING[to]}", actor, note=note)
        return context.store.batches.replace(stored, state, change, session=session)

    return context.alone([batch_key(batch_id)], work)


def _sweep(context: Context, batch_id: str, to: BatchState, when: When, session: ClientSession) -> None:
    """Declines or withdraws those whom the batch's new state leaves no place."""
    if to not in ("running", "cancelled"):
        return
    moves = []
    for stored in context.store.participants.find({"batch_id": batch_id}, session=session):
        target = participants.swept(stored.state, to)
        if target:
            state = participants.by_system(stored.state, target, when.effective_at, when.now, SYSTEM.sub)
            at = When(when.now, state.history[-1].at)
            moves.append((stored, state, at.change(f"participant.{target}", SYSTEM), None))
    context.store.participants.replace_many(moves, session=session)
