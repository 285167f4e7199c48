"""`/units`."""

from typing import Any

from infra.storage.aggregates import Stored
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import if_match, unless_stale, versioned, with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import units as commands
from ..commands.saving import found
from ..context import Context
from ..domain.units import Unit
from ..schemas import units as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, right, stored_as, with_times


def shown(stored: Stored[Unit]) -> Shown:
    """A unit as its readers see it."""
    now = stored.state.now
    return with_times(
        stored, code=stored.state.id, name=now.name, kind=now.kind, parent=now.parent, state=now.state
    )


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint("units", __name__, url_prefix="/units", description="The organisation tree.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("units.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, list_of(schemas.UnitOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List units by code."""
        items, after = listed(store.units, {}, args, [("_id", 1)])
        return {"items": [shown(stored) for stored in items], "next": after}

    @blp.route("/<code:code>")
    @right("units.read")
    @blp.response(200, schemas.unit_out)
    def get(code: str) -> Any:
        """Show a unit."""
        stored = found(store.units.get(code), words.UNIT)
        return with_etag(shown(stored), stored.version)

    @blp.route("/<code:code>/activity")
    @right("units.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], code: str) -> Shown:
        """Tell who did what to a unit."""
        actor = current_actor()
        return activity(store.units, code, words.UNIT, args, notes=actor.has("hr", "auditor"))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("/<code:code>", methods=["PUT"])
    @right("units.write")
    @blp.arguments(schemas.unit_in)
    @blp.response(200, schemas.unit_out)
    @blp.alt_response(201, schemas.unit_out)
    def put(body: dict[str, Any], code: str) -> Any:
        """Create or change a unit."""
        actor, current = current_actor(), stored_as(shown, schemas.unit_out)
        stored, created = commands.put_unit(context, actor, code, body, if_match(), current)
        place = f"/v1/units/{code}" if created else None
        return with_etag(shown(stored), stored.version, status=201 if created else 200, location=place)

    @blp.route("/<code:code>/transitions", methods=["POST"])
    @right("units.write")
    @blp.arguments(schemas.unit_transition)
    @blp.response(200, schemas.unit_out)
    @versioned
    def transition(body: dict[str, Any], code: str) -> Any:
        """Close a unit."""
        actor, fresh = current_actor(), unless_stale(stored_as(shown, schemas.unit_out))
        stored = commands.close_unit(context, actor, code, body["effective_at"], body["reason"], fresh)
        return with_etag(shown(stored), stored.version)
