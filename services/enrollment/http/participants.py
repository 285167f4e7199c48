"""`/batches/{id}/participants`, `/participants`, `/certificates`."""

from functools import partial
from typing import Any

from infra.actor import Actor
from infra.problems import unknown
from infra.storage.aggregates import Stored
from infra.web.auth import current_actor, public
from infra.web.blueprint import Blueprint
from infra.web.conditional import unless_stale, versioned, with_etag
from infra.web.paging import list_of

from .. import words
from ..commands import participants as commands
from ..commands.participants import Nomination
from ..commands.saving import found
from ..context import Context
from ..domain import access
from ..domain.participants import Participant
from ..schemas import batches as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, new, right, stored_as, with_times
from .filters import participant_filter


def shown(actor: Actor, stored: Stored[Participant], place: int | None) -> Shown:
    """A participant as this reader sees them; the certificate's code only for HR and its holder."""
    state, certificate = stored.state, None
    if state.certificate and access.sees_certificate_code(actor, state.employee_id):
        certificate = {"number": state.certificate.number, "code": state.certificate.code}
    return with_times(
        stored,
        id=state.id,
        batch_id=state.batch_id,
        employee_id=state.employee_id,
        unit=state.unit,
        state=state.state,
        place=place,
        reason=state.reason,
        certificate=certificate,
    )


def places(context: Context, found_: list[Stored[Participant]]) -> dict[str, int]:
    """Participant id to place on the waiting list of their batch, from 1; only of those who wait."""
    batches = {stored.state.batch_id for stored in found_ if stored.state.state == "waitlisted"}
    return {id_: place for batch_id in batches for place, id_ in enumerate(context.store.line(batch_id), start=1)}


def nominations(context: Context) -> Blueprint:
    """The participants of a batch over this context."""
    blp = Blueprint(
        "nominations",
        __name__,
        url_prefix="/batches/<id:batch_id>/participants",
        description="Who is in a batch.",
    )

    @blp.route("", methods=["POST"])
    @right("participants.write")
    @blp.arguments(schemas.participant_in)
    @blp.response(201, schemas.participant_out)
    def create(body: dict[str, Any], batch_id: str) -> Any:
        """Nominate an employee for an open batch."""
        actor = current_actor()
        post = new(f"POST /batches/{batch_id}/participants")
        stored = commands.nominate(context, actor, post, Nomination(batch_id=batch_id, **body))
        address = f"/v1/participants/{stored.state.id}"
        return with_etag(view(context, actor, stored), stored.version, status=201, location=address)

    @blp.route("")
    @right("participants.read")
    @blp.arguments(schemas.participant_args, location="query")
    @blp.response(200, list_of(schemas.ParticipantOut))
    def listing(args: dict[str, Any], batch_id: str) -> Shown:
        """List the participants of a batch in the order of nomination."""
        actor = current_actor()
        found(context.store.batches.get(batch_id), words.BATCH)
        query = participant_filter(context, actor, batch_id, args["state"])
        order = [("nominated_at", 1), ("recorded_at", 1), ("_id", 1)]
        items, after = listed(context.store.participants, query, args, order)
        line = places(context, items)
        return {"items": [shown(actor, one, line.get(one.state.id)) for one in items], "next": after}

    return audited(blp)


def visible(context: Context, actor: Actor, participant_id: str) -> Stored[Participant]:
    """The participant; 404 for whom the actor must not know of."""
    stored = found(context.store.participants.get(participant_id), words.PARTICIPANT)
    sight = context.sight(actor, reports=False)
    if not sight.of_participant(stored.state.employee_id, stored.state.own_unit):
        raise unknown(words.PARTICIPANT)
    return stored


def view(context: Context, actor: Actor, stored: Stored[Participant]) -> Shown:
    """One participant with their place in line."""
    return shown(actor, stored, places(context, [stored]).get(stored.state.id))


def answer(context: Context, actor: Actor, stored: Stored[Participant]) -> Any:
    """One participant as an answer."""
    return with_etag(view(context, actor, stored), stored.version, cacheable=False)


def blueprint(context: Context) -> Blueprint:
    """Single participants over this context."""
    blp = Blueprint("participants", __name__, url_prefix="/participants", description="People in batches.")
    store = context.store

    @blp.route("/<id:participant_id>")
    @right("participants.read")
    @blp.response(200, schemas.participant_out)
    def get(participant_id: str) -> Any:
        """Show a participant."""
        actor = current_actor()
        return answer(context, actor, visible(context, actor, participant_id))

    @blp.route("/<id:participant_id>/transitions", methods=["POST"])
    @right("participants.move")
    @blp.arguments(schemas.participant_transition)
    @blp.response(200, schemas.participant_out)
    @versioned
    def transition(body: dict[str, Any], participant_id: str) -> Any:
        """Accept, decline, note attendance, certify or withdraw; without a free seat `accepted` waits in line."""
        actor = current_actor()
        fresh = unless_stale(stored_as(partial(view, context, actor), schemas.participant_out))
        stored = commands.move_participant(
            context, actor, participant_id, body["to"], body["effective_at"], body["reason"], fresh
        )
        return answer(context, actor, stored)

    @blp.route("/<id:participant_id>/activity")
    @right("participants.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], participant_id: str) -> Shown:
        """Tell who did what to a participation."""
        actor = current_actor()
        visible(context, actor, participant_id)
        notes = access.sees_reasons(actor)
        return activity(store.participants, participant_id, words.PARTICIPANT, args, notes=notes)

    return audited(blp)


def certificates(context: Context) -> Blueprint:
    """The open check of certificates over this context."""
    blp = Blueprint("certificates", __name__, url_prefix="/certificates", description="Checked by anybody.")

    @blp.route("/<code:number>")
    @public
    @blp.arguments(schemas.verify_args, location="query")
    @blp.response(200, schemas.verified_out)
    def get(args: dict[str, Any], number: str) -> Shown:
        """Verify a certificate by number and code; open to all."""
        participant, batch, employee = commands.verified(context, number, args["code"])
        return {
            "number": number,
            "name": employee.name,
            "batch": batch.name,
            "starts_on": batch.starts_on,
            "ends_on": batch.ends_on,
            "valid": participant.state == "certified",
        }

    return blp
