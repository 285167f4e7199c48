"""Endorsements: supervisors say whether a level is reached."""

from typing import Any

from infra.storage.paging import page
from infra.web.auth import require
from infra.web.blueprint import Blueprint
from infra.web.conditional import unless_stale, versioned, with_etag
from infra.web.paging import PageArgs, list_of

from ..commands.access import READS_ALL, visible_endorsement
from ..commands.endorsements import Answer, Endorsements
from ..schemas.common import Happening
from ..schemas.endorsements import EndorsementOut, EndorsementQuery, EndorsementStep
from ..store import Store
from ..views import View, endorsement_view
from .shown import activity_page, note_reading

NEWEST_FIRST = [("opened_at", -1), ("_id", -1)]


def blueprint(store: Store, commands: Endorsements) -> Blueprint:
    """`/endorsements`."""
    blp = Blueprint(
        "endorsements", __name__, url_prefix="/endorsements", description="Whether a level is mastered."
    )

    @blp.route("")
    @blp.arguments(EndorsementQuery(), location="query")
    @blp.response(200, list_of(EndorsementOut))
    def listing(query: dict[str, Any]) -> View:
        """List endorsements, the latest first: those that concern one, all of them for HR and auditors."""
        actor = require("employee", *READS_ALL)
        match: dict[str, Any] = {} if query["state"] is None else {"state": query["state"]}
        if not actor.has(*READS_ALL):
            parts = ({name: actor.sub} for name in ("learner_id", "guide_id", "endorser_id"))
            match |= {"people": actor.sub, "$or": list(parts)}
        rows, following = page(
            store.endorsements.collection,
            match,
            sort=NEWEST_FIRST,
            limit=query["limit"],
            cursor=query["cursor"],
        )
        items = [endorsement_view(store.endorsements.read(row)) for row in rows]
        note_reading(actor, "endorsements", (item["id"] for item in items))
        return {"items": items, "next": following}

    @blp.route("/<id:endorsement_id>")
    @blp.response(200, EndorsementOut())
    def get(endorsement_id: str) -> Any:
        """Read one endorsement."""
        actor = require("employee", *READS_ALL)
        stored = visible_endorsement(store, actor, endorsement_id)
        note_reading(actor, "endorsement", [endorsement_id])
        return with_etag(endorsement_view(stored), stored.version)

    @blp.route("/<id:endorsement_id>/transitions", methods=["POST"])
    @blp.arguments(EndorsementStep())
    @blp.response(200, EndorsementOut())
    @versioned
    def transition(body: dict[str, Any], endorsement_id: str) -> Any:
        """Endorse or decline, as the supervisor who is asked or as HR."""
        fresh = unless_stale(endorsement_view)
        stored = commands.decide(require("employee", "hr"), endorsement_id, Answer(**body), fresh)
        return with_etag(endorsement_view(stored), stored.version)

    @blp.route("/<id:endorsement_id>/activity")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(Happening))
    def activity(query: dict[str, Any], endorsement_id: str) -> View:
        """Who did what with an endorsement, and when; the reason is for the endorser and HR alone."""
        actor = require("employee", *READS_ALL)
        stored = visible_endorsement(store, actor, endorsement_id)
        note_reading(actor, "activity of an endorsement", [endorsement_id])
        notes = actor.has("hr") or actor.sub == stored.state.endorser_id
        return activity_page(store.endorsements.activity(endorsement_id), query, notes=notes)

    return blp
