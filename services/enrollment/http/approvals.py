"""`/employees/{id}/guide-approvals`."""

from typing import Any

from infra.problems import unknown
from infra.storage.aggregates import Stored
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import guides as commands
from ..commands.saving import found
from ..context import Context
from ..domain import access
from ..domain.guides import Approval
from ..schemas import employees as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, new, right, with_times
from .employees import visible


def shown(stored: Stored[Approval]) -> Shown:
    """An approval as its readers see it."""
    state = stored.state
    return with_times(stored, id=state.id, employee_id=state.employee_id, competency=state.competency)


def known(context: Context, employee_id: str, approval_id: str) -> Stored[Approval]:
    """The approval of this employee; 404 for whom the employee is hidden."""
    visible(context, current_actor(), employee_id)
    stored = found(context.store.approvals.get(approval_id), words.APPROVAL)
    if stored.state.employee_id != employee_id:
        raise unknown(words.APPROVAL)
    return stored


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint(
        "guide-approvals",
        __name__,
        url_prefix="/employees/<id:employee_id>/guide-approvals",
        description="HR's approvals that somebody may guide.",
    )
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    approvals = context.store.approvals

    @blp.route("")
    @right("approvals.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, list_of(schemas.ApprovalOut))
    def listing(args: dict[str, Any], employee_id: str) -> Shown:
        """List the approvals of an employee."""
        visible(context, current_actor(), employee_id)
        items, after = listed(approvals, {"employee_id": employee_id}, args, [("_id", 1)])
        return {"items": [shown(stored) for stored in items], "next": after}

    @blp.route("/<id:approval_id>")
    @right("approvals.read")
    @blp.response(200, schemas.approval_out)
    def get(employee_id: str, approval_id: str) -> Any:
        """Show an approval."""
        stored = known(context, employee_id, approval_id)
        return with_etag(shown(stored), stored.version)

    @blp.route("/<id:approval_id>/activity")
    @right("approvals.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], employee_id: str, approval_id: str) -> Shown:
        """Tell who did what to an approval."""
        actor = current_actor()
        known(context, employee_id, approval_id)
        return activity(approvals, approval_id, words.APPROVAL, args, notes=access.sees_reasons(actor))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""

    @blp.route("", methods=["POST"])
    @right("approvals.write")
    @blp.arguments(schemas.approval_in)
    @blp.response(201, schemas.approval_out)
    def create(body: dict[str, Any], employee_id: str) -> Any:
        """Approve that an employee guides in a competency that they have mastered."""
        actor = current_actor()
        post = new(f"POST /employees/{employee_id}/guide-approvals")
        stored = commands.approve(context, actor, post, employee_id, body["competency"], body["effective_at"])
        place = f"/v1/employees/{employee_id}/guide-approvals/{stored.state.id}"
        return with_etag(shown(stored), stored.version, status=201, location=place)
