"""What every request passes on its way in and out: identity, limits, headers, metrics, the access log.

The outer half is plain WSGI, since it is on the path of every request and Flask's proxies and hooks cost more.
"""

import logging
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from flask.globals import request_ctx
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
# Nothing of ours is sniffed, framed, kept by a cache, or told to other sites.
ALWAYS = [("Server", "bina"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
FOR_DATA = [*ALWAYS, ("Cache-Control", "no-store")]
FOR_PAGES = [*ALWAYS, ("Content-Security-Policy", CONTENT_POLICY)]
UNKNOWN_PARAMETER = "Unknown field."
QUIET = frozenset(("/livez", "/readyz", "/metrics"))
ROUTE, CALLER = "bina.route", "bina.caller"


@dataclass(frozen=True)
class Route:
    """What is known of an endpoint and method before any request: nothing is looked up twice."""

    template: str
    public: bool
    body_limit: int
    takes_query: bool


NOWHERE = Route("(none)", public=True, body_limit=BODY_LIMIT, takes_query=True)


class Passage:
    """Around the whole app: gives a request its number, an answer its headers, and writes both down."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        started = time.perf_counter()
        number = _request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        logs.bind(request_id=number)

        def begin(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            whole = _headers(environ["PATH_INFO"], headers)
            whole.append(("X-Request-Id", number))
            _account(environ, int(status[:3]), time.perf_counter() - started)
            return start_response(status, whole, *exc_info)

        return self._app(environ, begin)


def guard(app: Flask, verifier: Verifier, query_routes: frozenset[tuple[str, str]]) -> None:
    """Puts the passage around the app; call it when all routes are registered."""
    routes = _routes(app, query_routes)

    @app.before_request
    def enter() -> None:
        current = request_ctx.request
        rule = current.url_rule
        route = routes.get((rule.endpoint, current.method), NOWHERE) if rule else NOWHERE
        environ = current.environ
        environ[ROUTE] = route
        if not route.public:
            environ[CALLER] = authenticate(verifier, environ.get("HTTP_AUTHORIZATION", ""))
        if route.body_limit != BODY_LIMIT:
            current.max_content_length = route.body_limit
        if not route.takes_query and environ["QUERY_STRING"]:
            raise refusal_of(ValidationError({name: [UNKNOWN_PARAMETER] for name in current.args}), "?")

    app.wsgi_app = Passage(app.wsgi_app)  # type: ignore[method-assign]


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


def _request_id(given: str) -> str:
    """The caller's own, when it looks like one, so that a call can be followed through the gateway."""
    if 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum():
        return given
    # No secret: it tells requests apart. uuid4 asks the kernel, and lets go of the interpreter meanwhile.
    return f"{random.getrandbits(128):032x}"


def _headers(path: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    ours = FOR_DATA if path.startswith("/v1/") else FOR_PAGES
    if any(name in {"Cache-Control", "Content-Security-Policy"} for name, _ in headers):
        set_already = {name for name, _ in headers}
        ours = [(name, value) for name, value in ours if name not in set_already]
    return headers + ours


def _account(environ: WSGIEnvironment, status: int, seconds: float) -> None:
    route: Route = environ.get(ROUTE, NOWHERE)
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    metrics.observe_request(method, route.template, status, seconds)
    if path in QUIET:
        return
    entry: dict[str, Any] = {
        "method": method,
        "route": route.template,
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    # A path that matches no route may hold anything, and a query may hold a token: neither is written down.
    if route is not NOWHERE:
        entry["path"] = path
    if caller := environ.get(CALLER):
        entry["sub"] = caller.sub
    log.info("request", extra=entry)
