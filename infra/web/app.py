"""The Flask app of a service: what every request goes through, whatever it is about."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flask
import orjson
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from marshmallow import ValidationError

from infra.clock import Clock, system_clock
from infra.problems import Text
from infra.settings import Settings
from infra.telemetry import metrics
from infra.web import docs, errors, health, openapi
from infra.web.auth import Verifier, authenticate
from infra.web.blueprint import BODY_LIMIT, Blueprint
from infra.web.context import CLOCK
from infra.web.converters import CONVERTERS
from infra.web.errors import refusal_of
from infra.web.headers import protect
from infra.web.tokens import TokenVerifier

Check = Callable[[], None]
UNKNOWN_PARAMETER = "Unknown field."


class Json(JSONProvider):
    """orjson for what Flask reads and writes."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of JSON text."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The answer of a view."""
        return Response(
            orjson.dumps(self._prepare_response_obj(args, kwargs)), content_type="application/json"
        )


@dataclass(frozen=True)
class Route:
    """What is known of an endpoint and method before any request: nothing is looked up twice."""

    template: str
    public: bool
    body_limit: int
    takes_query: bool


def build_app(
    settings: Settings,
    title: Text,
    blueprints: Sequence[Blueprint],
    *,
    clock: Clock = system_clock,
    ready: Mapping[str, Check] | None = None,
    verifier: Verifier | None = None,
    pages: Sequence[flask.Blueprint] = (),
) -> Flask:
    """The app with the blueprints below `/v1` and plain `pages` at the root; connects to nothing.

    ready: checks for `/readyz`, each raising when what it names can't be used.
    """
    app = Flask(settings.service, static_folder=None)
    app.json = Json(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.url_map.converters.update(CONVERTERS)
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.extensions[CLOCK] = clock
    checks = dict(ready or {})
    if verifier is None:
        verifier = TokenVerifier.of(settings)
        checks.setdefault("keys", verifier.ready)
    api = openapi.mount(app, title, blueprints)
    app.register_blueprint(docs.blueprint(api, title))
    app.register_blueprint(health.blueprint(settings.service, lambda: True, checks))
    for page in pages:
        app.register_blueprint(page)
    _guard(app, verifier, _routes(app, api.query_routes))
    errors.register(app)
    return app


def _routes(app: Flask, query_routes: frozenset[tuple[str, str]]) -> dict[tuple[str, str], Route]:
    found = {}
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        for method in rule.methods or ():
            handler = getattr(getattr(view, "view_class", None), method.lower(), view)
            documented = "GET" if method == "HEAD" else method
            found[rule.endpoint, method] = Route(
                rule.rule,
                getattr(handler, "public", False),
                getattr(handler, "body_limit", BODY_LIMIT),
                not rule.rule.startswith("/v1/") or (rule.endpoint, documented) in query_routes,
            )
    return found


def _guard(app: Flask, verifier: Verifier, routes: Mapping[tuple[str, str], Route]) -> None:
    @app.before_request
    def enter() -> None:
        g.started = time.perf_counter()
        g.request_id = _request_id()
        rule = request.url_rule
        route = routes.get((rule.endpoint, request.method)) if rule else None
        g.template = route.template if route else "(none)"
        if route is None:
            return
        if not route.public:
            authenticate(verifier)
        if route.body_limit != BODY_LIMIT:
            request.max_content_length = route.body_limit
        if request.query_string and not route.takes_query:
            unknown = {name: [UNKNOWN_PARAMETER] for name in request.args}
            raise refusal_of(ValidationError(unknown), "?")

    @app.after_request
    def leave(response: Response) -> Response:
        protect(response, request.path)
        response.headers["X-Request-Id"] = g.request_id
        metrics.observe_request(
            request.method, g.template, response.status_code, time.perf_counter() - g.started
        )
        return response


def _request_id() -> str:
    given = request.headers.get("X-Request-Id", "")
    if 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum():
        return given
    return uuid.uuid4().hex
