"""`/batches`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from infra.storage.aggregates import Stored
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import unless_stale, versioned, with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import batches as commands
from ..commands.saving import found
from ..context import Context
from ..domain import access
from ..domain.batches import Batch
from ..domain.participants import STATES
from ..schemas import batches as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, new, right, stored_as, with_times


def shown(stored: Stored[Batch], counts: Mapping[str, int]) -> Shown:
    """A batch as its readers see it."""
    state = stored.state
    return with_times(
        stored,
        id=state.id,
        name=state.name,
        starts_on=state.starts_on,
        ends_on=state.ends_on,
        venue=state.venue,
        seats=state.seats,
        seats_per_unit=state.seats_per_unit,
        echelons=state.echelons,
        position_kinds=state.position_kinds,
        partners=state.partners,
        jp=state.jp,
        state=state.state,
        counts={name: counts.get(name, 0) for name in STATES},
    )


def view(context: Context, stored: Stored[Batch]) -> Shown:
    """One batch with its counts."""
    return shown(stored, context.store.counts([stored.state.id]).get(stored.state.id, {}))


def answer(context: Context, stored: Stored[Batch], status: int = 200) -> Any:
    """One batch as an answer."""
    place = f"/v1/batches/{stored.state.id}" if status == 201 else None
    return with_etag(view(context, stored), stored.version, status=status, location=place, cacheable=False)


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint("batches", __name__, url_prefix="/batches", description="Trainings of representatives.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("batches.read")
    @blp.arguments(schemas.batch_args, location="query")
    @blp.response(200, list_of(schemas.BatchOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List batches, the latest first."""
        query = {"state": args["state"]} if args["state"] else {}
        items, after = listed(store.batches, query, args, [("starts_on", -1), ("_id", 1)])
        counts = store.counts(stored.state.id for stored in items)
        return {
            "items": [shown(stored, counts.get(stored.state.id, {})) for stored in items],
            "next": after,
        }

    @blp.route("/<id:batch_id>")
    @right("batches.read")
    @blp.response(200, schemas.batch_out)
    def get(batch_id: str) -> Any:
        """Show a batch, with the number of people in each state."""
        return answer(context, found(store.batches.get(batch_id), words.BATCH))

    @blp.route("/<id:batch_id>/activity")
    @right("batches.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], batch_id: str) -> Shown:
        """Tell who did what to a batch."""
        actor = current_actor()
        return activity(store.batches, batch_id, words.BATCH, args, notes=access.sees_reasons(actor))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("", methods=["POST"])
    @right("batches.write")
    @blp.arguments(schemas.batch_in)
    @blp.response(201, schemas.batch_out)
    def create(body: dict[str, Any]) -> Any:
        """Create a batch, still a draft."""
        actor = current_actor()
        return answer(context, commands.create_batch(context, actor, new("POST /batches"), body), 201)

    @blp.route("/<id:batch_id>/transitions", methods=["POST"])
    @right("batches.write")
    @blp.arguments(schemas.batch_transition)
    @blp.response(200, schemas.batch_out)
    @versioned
    def transition(body: dict[str, Any], batch_id: str) -> Any:
        """Open, close, start, finish or cancel a batch."""
        fresh = unless_stale(stored_as(partial(view, context), schemas.batch_out))
        stored = commands.move_batch(
            context, current_actor(), batch_id, body["to"], body["effective_at"], body["reason"], fresh
        )
        return answer(context, stored)
