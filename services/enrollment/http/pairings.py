"""`/pairings`."""

from functools import partial
from typing import Any

from infra.actor import Actor
from infra.clock import day_of
from infra.problems import unknown
from infra.storage.aggregates import Stored
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import unless_stale, versioned, with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import pairings as commands
from ..commands.pairings import Proposal
from ..commands.saving import found
from ..context import Context
from ..domain import access
from ..domain.pairings import Pairing
from ..schemas import pairings as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, new, right, stored_as, with_times
from .filters import pairing_filter


def shown(context: Context, actor: Actor, stored: Stored[Pairing]) -> Shown:
    """A pairing as this reader sees it; why it ended only for HR."""
    state = stored.state
    return with_times(
        stored,
        id=state.id,
        kind=state.kind,
        guide_id=state.guide_id,
        learner_id=state.learner_id,
        competency=state.competency,
        target_level=state.target_level,
        due_on=state.due_on,
        goal=state.goal,
        state=state.state,
        guide_accepted=state.guide_accepted,
        learner_accepted=state.learner_accepted,
        overdue=state.is_overdue(day_of(context.clock())),
        active_at=state.active_at,
        ended_at=state.ended_at,
        reason=state.reason if access.sees_reasons(actor) else None,
    )


def visible(context: Context, actor: Actor, pairing_id: str) -> Stored[Pairing]:
    """The pairing; 404 for whom the actor must not know of."""
    stored = found(context.store.pairings.get(pairing_id), words.PAIRING)
    if not commands.can_see(context, actor, stored.state):
        raise unknown(words.PAIRING)
    return stored


def answer(context: Context, actor: Actor, stored: Stored[Pairing], status: int = 200) -> Any:
    """One pairing as an answer."""
    place = f"/v1/pairings/{stored.state.id}" if status == 201 else None
    body = shown(context, actor, stored)
    return with_etag(body, stored.version, status=status, location=place, cacheable=False)


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint("pairings", __name__, url_prefix="/pairings", description="Guides and learners.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("pairings.read")
    @blp.arguments(schemas.pairing_args, location="query")
    @blp.response(200, list_of(schemas.PairingOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List pairings by due date."""
        actor = current_actor()
        query = pairing_filter(context, actor, args)
        items, after = listed(store.pairings, query, args, [("due_on", 1), ("_id", 1)])
        return {"items": [shown(context, actor, stored) for stored in items], "next": after}

    @blp.route("/<id:pairing_id>")
    @right("pairings.read")
    @blp.response(200, schemas.pairing_out)
    def get(pairing_id: str) -> Any:
        """Show a pairing."""
        actor = current_actor()
        return answer(context, actor, visible(context, actor, pairing_id))

    @blp.route("/<id:pairing_id>/activity")
    @right("pairings.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], pairing_id: str) -> Shown:
        """Tell who did what to a pairing; the reasons only to HR."""
        actor = current_actor()
        visible(context, actor, pairing_id)
        return activity(store.pairings, pairing_id, words.PAIRING, args, notes=access.sees_reasons(actor))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("", methods=["POST"])
    @right("pairings.write")
    @blp.arguments(schemas.pairing_in)
    @blp.response(201, schemas.pairing_out)
    def create(body: dict[str, Any]) -> Any:
        """Propose a pairing."""
        actor = current_actor()
        return answer(
            context, actor, commands.propose(context, actor, new("POST /pairings"), Proposal(**body)), 201
        )

    @blp.route("/<id:pairing_id>/transitions", methods=["POST"])
    @right("pairings.move")
    @blp.arguments(schemas.pairing_transition)
    @blp.response(200, schemas.pairing_out)
    @versioned
    def transition(body: dict[str, Any], pairing_id: str) -> Any:
        """Consent, decline, activate or end; with both consents the pairing is active."""
        actor = current_actor()
        fresh = unless_stale(stored_as(partial(shown, context, actor), schemas.pairing_out))
        stored = commands.move_pairing(
            context, actor, pairing_id, body["to"], body["effective_at"], body["reason"], fresh
        )
        return answer(context, actor, stored)
