"""What every request passes on its way in and out: identity, limits, headers, metrics, the access log."""

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request
from marshmallow import ValidationError

from infra.telemetry import logs, metrics
from infra.web.auth import Verifier, authenticate
from infra.web.blueprint import BODY_LIMIT
from infra.web.errors import refusal_of

log = logging.getLogger("access")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
UNKNOWN_PARAMETER = "Unknown field."
QUIET = frozenset(("/livez", "/readyz", "/metrics"))


@dataclass(frozen=True)
class Route:
    """What is known of an endpoint and method before any request: nothing is looked up twice."""

    template: str
    public: bool
    body_limit: int
    takes_query: bool


NOWHERE = Route("(none)", public=True, body_limit=BODY_LIMIT, takes_query=True)


def guard(app: Flask, verifier: Verifier, query_routes: frozenset[tuple[str, str]]) -> None:
    """Puts the passage before and after every view; call it when all routes are registered."""
    routes = _routes(app, query_routes)

    @app.before_request
    def enter() -> None:
        g.started = time.perf_counter()
        g.request_id = _request_id()
        logs.bind(request_id=g.request_id)
        rule = request.url_rule
        g.route = route = routes.get((rule.endpoint, request.method), NOWHERE) if rule else NOWHERE
        if not route.public:
            authenticate(verifier)
        if route.body_limit != BODY_LIMIT:
            request.max_content_length = route.body_limit
        if request.query_string and not route.takes_query:
            raise refusal_of(ValidationError({name: [UNKNOWN_PARAMETER] for name in request.args}), "?")

    @app.after_request
    def leave(response: Response) -> Response:
        _protect(response)
        seconds = time.perf_counter() - g.started
        metrics.observe_request(request.method, g.route.template, response.status_code, seconds)
        if request.path not in QUIET:
            _log(response, g.route, seconds)
        return response


def _routes(app: Flask, query_routes: frozenset[tuple[str, str]]) -> Mapping[tuple[str, str], Route]:
    found = {}
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        for method in rule.methods or ():
            documented = "GET" if method == "HEAD" else method
            found[rule.endpoint, method] = Route(
                template=rule.rule,
                public=getattr(view, "public", False) or rule.endpoint.endswith(".static"),
                body_limit=getattr(view, "body_limit", BODY_LIMIT),
                takes_query=not rule.rule.startswith("/v1/") or (rule.endpoint, documented) in query_routes,
            )
    return found


def _request_id() -> str:
    """The caller's own, when it looks like one, so that a call can be followed through the gateway."""
    given = request.headers.get("X-Request-Id", "")
    if 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum():
        return given
    return uuid.uuid4().hex


def _protect(response: Response) -> None:
    """Nothing of ours is sniffed, framed, kept by a cache, or told to other sites."""
    headers = response.headers
    headers["Server"] = "bina"
    headers["X-Request-Id"] = g.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    if request.path.startswith("/v1/"):
        headers.setdefault("Cache-Control", "no-store")
    else:
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)


def _log(response: Response, route: Route, seconds: float) -> None:
    # A path that matches no route may hold anything, and a query may hold a token: neither is written down.
    entry: dict[str, Any] = {
        "method": request.method,
        "route": route.template,
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
    }
    if route is not NOWHERE:
        entry["path"] = request.path
    if "actor" in g:
        entry["sub"] = g.actor.sub
    log.info("request", extra=entry)
