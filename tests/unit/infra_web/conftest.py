"""A small API that uses everything of infra.web, and keys to sign tokens for it."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields
from pymongo.errors import NetworkTimeout, OperationFailure, ServerSelectionTimeoutError

from infra.problems import Refused, Text, unknown
from infra.settings import Settings
from infra.web.app import build_app
from infra.web.auth import current_actor, public, require
from infra.web.blueprint import Blueprint, body_limit, json_body, load_item
from infra.web.conditional import check_same_request, idempotent_id, if_match, with_etag
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
        return with_etag({**body, "id": thing_id, "version": if_match() or 1}, if_match() or 1)

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
    "broken": OperationFailure("nip 198001012005011001"),
    "bug": KeyError("198001012005011001"),
}


@dataclass
class Issuer:
    """Signs tokens; `claims` and `header` override what is in a good one, None leaves it out."""

    kid: str = "k1"
    private: Any = field(default_factory=Ed25519PrivateKey.generate)
    algorithm: str = "EdDSA"

    def jwk(self, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            self.private.public_key(), as_dict=True
        )
        return {**made, "kid": self.kid, **more}

    def token(self, sub: str = "u1", roles: Any = ("employee",), **claims: Any) -> str:
        whole = {
            "sub": sub,
            "roles": list(roles) if isinstance(roles, tuple) else roles,
            "iss": "bina",
            "aud": "bina",
            "exp": time.time() + 600,
            **claims,
        }
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(given, self.private, self.algorithm, headers={"kid": self.kid})


def write_keys(path: Path, *keys: dict[str, Any]) -> None:
    """Replaces the file in one step, as a deployment does."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"keys": keys}))
    draft.replace(path)


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def jwks(tmp_path: Path, issuer: Issuer) -> Path:
    path = tmp_path / "jwks.json"
    write_keys(path, issuer.jwk())
    return path


@pytest.fixture
def environment(jwks: Path) -> dict[str, str]:
    return {
        "BINA_MONGODB_URI": "mongodb://localhost",
        "BINA_KAFKA_BOOTSTRAP": "localhost:9092",
        "BINA_JWKS": str(jwks),
    }


@pytest.fixture
def app(environment: dict[str, str]) -> Flask:
    settings = Settings.from_env("sessions", environment)
    title = Text("Bina: hal", "Bina: things")
    return build_app(settings, title, [things()], clock=lambda: NOW, ready={"store": lambda: None})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(issuer: Issuer) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token()}", "Accept-Language": "en"}


@pytest.fixture
def thing() -> dict[str, Any]:
    return {"name": "x", "unit": "dinkes", "status": "held", "minutes": 30}
