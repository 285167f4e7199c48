"""Sessions: written by guides, confirmed by learners."""

from typing import Any

from infra.actor import Actor
from infra.storage.paging import page
from infra.web.auth import require
from infra.web.blueprint import Blueprint
from infra.web.conditional import if_match, versioned, with_etag
from infra.web.paging import PageArgs, list_of

from ..commands.access import READS_ALL, Outdated, visible_session
from ..commands.sessions import Sessions, Transition
from ..domain.session import Action, Content, Feedback
from ..schemas.common import Happening
from ..schemas.sessions import SessionIn, SessionOut, SessionQuery, SessionStep
from ..store import Store
from ..views import View
from .shown import Shown, activity_page, note_reading

NEWEST_FIRST = [("started_at", -1), ("_id", -1)]


def content_of(body: dict[str, Any]) -> Content:
    """The content from a validated body."""
    actions = tuple(Action(**action) for action in body["actions"] or ())
    return Content(**{**body, "actions": actions})


def transition_of(body: dict[str, Any], based_on: int | None) -> Transition:
    """The transition from a validated body."""
    feedback = Feedback(**body["feedback"]) if body["feedback"] else None
    return Transition(**{**body, "feedback": feedback}, based_on=based_on)


def blueprint(store: Store, commands: Sessions, shown: Shown) -> Blueprint:
    """`/sessions`."""
    blp = Blueprint("sessions", __name__, url_prefix="/sessions", description="Sessions of pairings.")

    @blp.route("/<id:session_id>", methods=["PUT"])
    @blp.arguments(SessionIn())
    @blp.response(200, SessionOut())
    @blp.alt_response(201, SessionOut())
    def put(body: dict[str, Any], session_id: str) -> Any:
        """Record a session, or change one, as its guide."""
        actor = require("employee")
        try:
            stored, created = commands.put(actor, session_id, content_of(body), if_match())
        except Outdated as outdated:
            raise shown.refusal(outdated, actor) from None
        location = f"/v1/sessions/{session_id}" if created else None
        view = shown.session(stored, actor)
        return with_etag(view, stored.version, status=201 if created else 200, location=location)

    @blp.route("/<id:session_id>")
    @blp.response(200, SessionOut())
    def get(session_id: str) -> Any:
        """Read one session."""
        actor = require("employee", *READS_ALL)
        stored = visible_session(store, actor, session_id)
        note_reading(actor, "session", [session_id])
        # The credit may change without the session: another one of that month was confirmed.
        return with_etag(shown.session(stored, actor), stored.version, cacheable=False)

    @blp.route("")
    @blp.arguments(SessionQuery(), location="query")
    @blp.response(200, list_of(SessionOut))
    def listing(query: dict[str, Any]) -> View:
        """List sessions, the latest first: one's own, all of them for HR and auditors."""
        actor = require("employee", *READS_ALL)
        rows, following = page(
            store.sessions.collection,
            matching(store, actor, query),
            sort=NEWEST_FIRST,
            limit=query["limit"],
            cursor=query["cursor"],
        )
        items = shown.sessions([store.sessions.read(row) for row in rows], actor)
        note_reading(actor, "sessions", (item["id"] for item in items))
        return {"items": items, "next": following}

    @blp.route("/<id:session_id>/transitions", methods=["POST"])
    @blp.arguments(SessionStep())
    @blp.response(200, SessionOut())
    @versioned
    def transition(body: dict[str, Any], session_id: str) -> Any:
        """Confirm, dispute or cancel a session, or decide a dispute."""
        actor = require("employee", "hr")
        try:
            stored = commands.step(actor, session_id, transition_of(body, if_match()))
        except Outdated as outdated:
            raise shown.refusal(outdated, actor) from None
        return with_etag(shown.session(stored, actor), stored.version)

    @blp.route("/<id:session_id>/activity")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(Happening))
    def activity(query: dict[str, Any], session_id: str) -> View:
        """Who did what with a session, and when."""
        actor = require("employee", *READS_ALL)
        visible_session(store, actor, session_id)
        note_reading(actor, "activity of a session", [session_id])
        return activity_page(store.sessions.activity(session_id), query, notes=True)

    return blp


def matching(store: Store, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    """The sessions that the caller may see and asks for."""
    match: dict[str, Any] = {} if actor.has(*READS_ALL) else {"people": actor.sub}
    if query["pairing"] is not None:
        pairing = store.pairing(query["pairing"])
        match |= {"pairing_id": query["pairing"]}
        if pairing is not None and "people" not in match:
            match |= {"people": pairing.learner_id}
    started = {
        operator: query[name]
        for name, operator in (("since", "$gte"), ("until", "$lt"))
        if query[name] is not None
    }
    if started:
        match |= {"started_at": started}
    if query["status"] is not None:
        match |= {"status": query["status"]}
    return match
