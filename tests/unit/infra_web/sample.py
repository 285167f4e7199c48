"""A small API that uses everything of infra.web."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields
from pymongo.errors import (
    BulkWriteError,
    CursorNotFound,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from infra.problems import Refused, Text, check_same_request, unknown
from infra.web.auth import current_actor, public, require
from infra.web.blueprint import Blueprint, body_limit, json_body, load_item
from infra.web.conditional import idempotent_id, if_match, with_etag
from infra.web.errors import problem
from infra.web.fields import (
    Boolean,
    Code,
    Day,
    Effective,
    Free,
    Instant,
    Integer,
    Level,
    OneOf,
    String,
    UuidStr,
    opt,
)
from infra.web.paging import PageArgs, list_of

NOW = datetime(2026, 5, 16, 1, 0, tzinfo=UTC)
ID = "11111111-2222-4333-8444-555555555555"


class ActionIn(Effective):
    text = Free(required=True, max=500)
    due_on = opt(Day())
    done = Boolean(required=True)


class ThingIn(Effective):
    name = String(required=True)
    unit = Code(required=True)
    status = OneOf("planned", "held", required=True)
    minutes = Integer(required=True, least=5, most=480)
    level = opt(Level())
    started_at = opt(Instant())
    actions = fields.List(fields.Nested(ActionIn()), load_default=list)


class ThingOut(ThingIn):
    id = UuidStr(required=True)
    version = Integer(required=True)


class ThingQuery(PageArgs):
    status = opt(OneOf("planned", "held"))


def things() -> Blueprint:
    blp = Blueprint("things", __name__, url_prefix="/things", description="Things.")
    writing(blp)
    reading(blp)
    return blp


def writing(blp: Blueprint) -> None:
    seen: dict[str, str | None] = {}

    @blp.route("/<id:thing_id>", methods=["PUT"])
    @blp.arguments(ThingIn())
    @blp.response(200, ThingOut())
    @blp.alt_response(201, ThingOut())
    def put(body: dict[str, Any], thing_id: str) -> Any:
        """Put a thing."""
        based_on = if_match()
        version = 1 if based_on is None else based_on
        return with_etag({**body, "id": thing_id, "version": version}, version)

    @blp.route("", methods=["POST"])
    @blp.arguments(ThingIn())
    @blp.response(201, ThingOut())
    def create(body: dict[str, Any]) -> Any:
        """Create a thing."""
        thing_id, request_hash = idempotent_id("POST /things")
        if thing_id in seen:
            check_same_request(seen[thing_id], request_hash)
        seen[thing_id] = request_hash
        made = {**body, "id": thing_id, "version": 1}
        return with_etag(made, 1, status=201, location=f"/v1/things/{thing_id}")

    @blp.route("/bulk", methods=["PUT"])
    @body_limit(2 * 1024 * 1024)
    def bulk() -> Any:
        """Put many."""
        results: list[dict[str, Any]] = []
        for index, item in enumerate(json_body()):
            try:
                load_item(ThingIn(), item)
                results.append({"index": index})
            except Refused as refused:
                results.append({"index": index, "problem": problem(refused)})
        return results


def reading(blp: Blueprint) -> None:
    @blp.route("/<id:thing_id>")
    @blp.response(200, ThingOut())
    def get(thing_id: str) -> Any:
        """Read a thing."""
        made = {
            "id": thing_id,
            "name": "x",
            "unit": "u",
            "status": "held",
            "minutes": 5,
            "actions": [],
            "version": 3,
        }
        return with_etag(made, 3)

    @blp.route("")
    @blp.arguments(ThingQuery(), location="query")
    @blp.response(200, list_of(ThingOut))
    def listing(query: dict[str, Any]) -> Any:
        """List things."""
        return {"items": [], "next": None if query["cursor"] is None else str(query["limit"])}

    @blp.route("/me")
    def me() -> Any:
        """Who I am."""
        actor = current_actor()
        return {"sub": actor.sub, "roles": sorted(actor.roles), "unit": actor.unit}

    @blp.route("/hr")
    def only_hr() -> Any:
        """For HR."""
        return {"sub": require("hr", "admin").sub}

    @blp.route("/open")
    @public
    def opened() -> Any:
        """For everybody."""
        return {}

    @blp.route("/fail/<code:kind>")
    def fail(kind: str) -> Any:
        """Fail in some way."""
        raise FAILURES[kind]


FAILURES: dict[str, Exception] = {
    "full": Refused("seats-full", Text("Penuh.", "Full."), current={"seats": 0}, retry=False),
    "hidden": unknown(Text("Sesi", "The session")),
    "many": Refused("too-many-requests", Text("Pelan.", "Slow down."), status=429),
    "gone": ServerSelectionTimeoutError("mongodb://secret"),
    "slow": NetworkTimeout("mongodb://secret"),
    "conflict": OperationFailure("clash", details={"errorLabels": ["TransientTransactionError"]}),
    "unconfirmed": BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "x"}]}),
    "forgotten": CursorNotFound("cursor id 198001012005011001 not found", 43),
    "broken": OperationFailure("nip 198001012005011001"),
    "bug": KeyError("198001012005011001"),
}
