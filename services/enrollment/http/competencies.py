"""`/competencies`, `/units/{code}/needs`, `/gaps`."""

from typing import Any

import msgspec

from infra.problems import unknown
from infra.storage.aggregates import Stored
from infra.storage.paging import decode, encode
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import if_match, with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import competencies as commands
from ..commands.saving import found
from ..context import Context
from ..domain import access
from ..domain.competencies import Competency, Gap, Need
from ..ids import need_id
from ..schemas import competencies as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, right, stored_as, with_times


def shown(stored: Stored[Competency]) -> Shown:
    """A competency as its readers see it."""
    state = stored.state
    return with_times(
        stored,
        code=state.id,
        name=state.name,
        name_en=state.name_en,
        aspect=state.aspect,
        description=state.description,
    )


def shown_need(stored: Stored[Need]) -> Shown:
    """A need as its readers see it."""
    state, now = stored.state, stored.state.now
    return with_times(stored, unit=state.unit, competency=state.competency, people=now.people, level=now.level)


def blueprint(context: Context) -> Blueprint:
    """Competencies over this context."""
    blp = Blueprint("competencies", __name__, url_prefix="/competencies", description="What can be learned.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("competencies.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, list_of(schemas.CompetencyOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List competencies by code."""
        items, after = listed(store.competencies, {}, args, [("_id", 1)])
        return {"items": [shown(stored) for stored in items], "next": after}

    @blp.route("/<code:code>")
    @right("competencies.read")
    @blp.response(200, schemas.competency_out)
    def get(code: str) -> Any:
        """Show a competency."""
        stored = found(store.competencies.get(code), words.COMPETENCY)
        return with_etag(shown(stored), stored.version)

    @blp.route("/<code:code>/activity")
    @right("competencies.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], code: str) -> Shown:
        """Tell who did what to a competency."""
        actor = current_actor()
        return activity(store.competencies, code, words.COMPETENCY, args, notes=actor.has("hr", "auditor"))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("/<code:code>", methods=["PUT"])
    @right("competencies.write")
    @blp.arguments(schemas.competency_in)
    @blp.response(200, schemas.competency_out)
    @blp.alt_response(201, schemas.competency_out)
    def put(body: dict[str, Any], code: str) -> Any:
        """Create or change a competency."""
        actor, current = current_actor(), stored_as(shown, schemas.competency_out)
        stored, created = commands.put_competency(context, actor, code, body, if_match(), current)
        place = f"/v1/competencies/{code}" if created else None
        return with_etag(shown(stored), stored.version, status=201 if created else 200, location=place)


def needs_blueprint(context: Context) -> Blueprint:
    """Needs over this context."""
    blp = Blueprint("needs", __name__, url_prefix="/units/<code:code>/needs", description="What units need.")
    _read_needs(blp, context)
    _write_needs(blp, context)
    return audited(blp)


def _read_needs(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("needs.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, list_of(schemas.NeedOut))
    def listing(args: dict[str, Any], code: str) -> Shown:
        """List what a unit itself needs, by competency."""
        found(store.units.get(code), words.UNIT)
        items, after = listed(store.needs, {"unit": code}, args, [("competency", 1)])
        return {"items": [shown_need(stored) for stored in items], "next": after}

    @blp.route("/<code:competency>")
    @right("needs.read")
    @blp.response(200, schemas.need_out)
    def get(code: str, competency: str) -> Any:
        """Show what a unit needs of a competency."""
        stored = found(store.needs.get(need_id(code, competency)), words.NEED)
        return with_etag(shown_need(stored), stored.version)

    @blp.route("/<code:competency>/activity")
    @right("needs.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], code: str, competency: str) -> Shown:
        """Tell who did what to a need."""
        actor = current_actor()
        id_ = need_id(code, competency)
        return activity(store.needs, id_, words.NEED, args, notes=actor.has("hr", "auditor"))


def _write_needs(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("/<code:competency>", methods=["PUT"])
    @right("needs.write")
    @blp.arguments(schemas.need_in)
    @blp.response(200, schemas.need_out)
    @blp.alt_response(201, schemas.need_out)
    def put(body: dict[str, Any], code: str, competency: str) -> Any:
        """State what a unit needs of a competency; 0 people end the need."""
        actor, current = current_actor(), stored_as(shown_need, schemas.need_out)
        stored, created = commands.put_need(context, actor, code, competency, body, if_match(), current)
        place = f"/v1/units/{code}/needs/{competency}" if created else None
        return with_etag(shown_need(stored), stored.version, status=201 if created else 200, location=place)


def gaps_blueprint(context: Context) -> Blueprint:
    """Gaps over this context."""
    blp = Blueprint("gaps", __name__, url_prefix="/gaps", description="Needs that are not met.")

    @blp.route("")
    @right("gaps.read")
    @blp.arguments(schemas.gap_args, location="query")
    @blp.response(200, list_of(schemas.GapOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List the gaps of a unit and all below it; of all that the caller may see unless a unit is given."""
        actor = current_actor()
        tree = context.tree()
        units = frozenset(tree.forms) if access.sees_everything(actor) else context.scope(actor)
        if args["unit"]:
            if args["unit"] not in tree.forms:
                raise unknown(words.UNIT)
            access.check_inside(args["unit"], units)
            units = tree.below(args["unit"])
        items, after = _page(commands.gaps(context, units), args["limit"], args["cursor"])
        return {"items": [msgspec.structs.asdict(gap) for gap in items], "next": after}

    return audited(blp)


def _page(gaps: list[Gap], limit: int, cursor: str | None) -> tuple[list[Gap], str | None]:
    """The gaps behind the cursor, which names the last unit and competency shown."""
    if cursor is not None:
        last = tuple(decode(cursor, str, str))
        gaps = [gap for gap in gaps if (gap.unit, gap.competency) > last]
    if len(gaps) <= limit:
        return gaps, None
    return gaps[:limit], encode([gaps[limit - 1].unit, gaps[limit - 1].competency])
