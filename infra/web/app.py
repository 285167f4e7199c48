"""The Flask app of a service: what is mounted where, and in which order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flask
import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider

from infra.clock import Clock, system_clock
from infra.problems import Text
from infra.settings import Settings
from infra.web import docs, errors, health, openapi, passage
from infra.web.answers import Answer
from infra.web.auth import Verifier
from infra.web.blueprint import BODY_LIMIT, Blueprint
from infra.web.context import CLOCK
from infra.web.converters import CONVERTERS
from infra.web.tokens import TokenVerifier

Check = Callable[[], object]


class Api(Flask):
    """Flask without its support for coroutines, which asks several times a request whether a function is one."""

    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


class Json(JSONProvider):
    """orjson for what Flask reads and writes."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The value of JSON text."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The answer of a view."""
        content = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Answer(content, content_type="application/json")


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

    ready: checks for `/readyz`, each raising when what it names can't be used. verifier: by the settings' keys
    unless given.
    """
    app = Api(settings.service, static_folder=None)
    app.json = Json(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.url_map.converters.update(CONVERTERS)
    app.url_map.merge_slashes = False
    app.extensions[CLOCK] = clock
    checks: dict[str, Check] = dict(ready or {})
    if verifier is None:
        verifier = TokenVerifier.of(settings)
        checks["keys"] = verifier.ready
    api = openapi.mount(app, title, blueprints)
    for page in (docs.blueprint(title), health.blueprint(settings.service, _alive, checks), *pages):
        app.register_blueprint(page)
    errors.register(app)
    passage.guard(app, verifier, api.query_routes)
    return app


def _alive() -> bool:
    """An API that answers at all is alive."""
    return True
