"""Sync: what a phone has queued goes in, what is new for its owner comes out."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import current_app
from marshmallow import Schema

from infra.actor import Actor
from infra.problems import Refused
from infra.storage.aggregates import Stored
from infra.web.auth import require
from infra.web.blueprint import Blueprint, body_limit, json_body, load_item
from infra.web.context import language
from infra.web.errors import problem

from ..commands.access import Outdated
from ..commands.changes import Changes, Cursor
from ..commands.sync import Move, Outcome, Sync, Write
from ..domain import texts
from ..domain.session import Session
from ..schemas.sync import SyncBody, SyncedSession, SyncedStep, SyncFrame, SyncOut
from ..views import View
from .sessions import content_of, transition_of
from .shown import Shown

MOST_ITEMS = 500
BODY_LIMIT = 8 * 1024 * 1024

FRAME, SESSION, STEP = SyncFrame(), SyncedSession(), SyncedStep()

Item = TypeVar("Item", Write, Move)


def blueprint(sync: Sync, changes: Changes, shown: Shown) -> Blueprint:
    """`/sync`."""
    blp = Blueprint("sync", __name__, url_prefix="/sync", description="Offline queues of phones.")
    body = {"required": True, "content": {"application/json": {"schema": SyncBody()}}}

    @blp.route("", methods=["POST"])
    @body_limit(BODY_LIMIT)
    @blp.doc(requestBody=body)
    @blp.response(200, SyncOut())
    def post() -> Any:
        """Bring in what was queued, each item on its own, and learn what is new."""
        actor = require("employee")
        frame = load_item(FRAME, json_body())
        if len(frame["sessions"]) + len(frame["transitions"]) > MOST_ITEMS:
            raise Refused("too-many-items", texts.TOO_MANY.format(most=MOST_ITEMS), status=413)
        cursor = Cursor.read(frame["cursor"])
        intake = Intake(actor, shown)
        results = intake.sessions(frame["sessions"], sync) + intake.steps(frame["transitions"], sync)
        news = changes.since(actor, cursor, language(), intake.at_hand)
        return current_app.json.response(results=results, changes=news.changes, cursor=news.cursor, more=news.more)

    return blp


class Intake:
    """Takes raw items in: a bad one ends as `refused` with its problem, the others go on.

    at_hand: what is stored of the good ones, by id.
    """

    def __init__(self, actor: Actor, shown: Shown) -> None:
        self._actor = actor
        self._shown = shown
        self.at_hand: dict[str, Stored[Session]] = {}

    def sessions(self, raw: Sequence[Any], sync: Sync) -> list[View]:
        """The results of the sessions, in their order."""
        return self._all(raw, SESSION, "/sessions", write_of, lambda good: sync.write(self._actor, good))

    def steps(self, raw: Sequence[Any], sync: Sync) -> list[View]:
        """The results of the transitions, in their order."""
        return self._all(raw, STEP, "/transitions", move_of, lambda good: sync.move(self._actor, good))

    def _all(
        self,
        raw: Sequence[Any],
        schema: Schema,
        pointer: str,
        make: Callable[[dict[str, Any]], Item],
        apply: Callable[[list[Item]], list[Outcome]],
    ) -> list[View]:
        good: list[Item] = []
        bad: dict[int, Outcome] = {}
        for place, item in enumerate(raw):
            try:
                good.append(make(load_item(schema, item)))
            except Refused as refusal:
                bad[place] = Outcome(refusal=refusal)
        outcomes = iter(apply(good))
        return [
            self._told(item, f"{pointer}/{place}", bad.get(place) or next(outcomes))
            for place, item in enumerate(raw)
        ]

    def _told(self, item: Any, pointer: str, outcome: Outcome) -> View:
        id_ = item.get("id") if isinstance(item, dict) else None
        told: View = {"id": id_ if isinstance(id_, str) else None, "status": "refused"}
        if outcome.stored is not None:
            self.at_hand[outcome.stored.state.id] = outcome.stored
            status = "stored" if outcome.changed else "unchanged"
            return told | {"status": status, "version": outcome.stored.version, "problem": None}
        refusal = outcome.refusal
        if isinstance(refusal, Outdated):
            refusal = self._shown.refusal(refusal, self._actor)
        return told | {"version": None, "problem": problem(refusal.below(pointer)) if refusal else None}


def write_of(body: dict[str, Any]) -> Write:
    """The session of an item."""
    id_, based_on = body.pop("id"), body.pop("base_version")
    return Write(id=id_, content=content_of(body), based_on=based_on)


def move_of(body: dict[str, Any]) -> Move:
    """The transition of an item."""
    id_, based_on = body.pop("id"), body.pop("base_version")
    return Move(id=id_, asked=transition_of(body, based_on))
