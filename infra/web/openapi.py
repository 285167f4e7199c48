"""The OpenAPI 3.1 document, drawn from the blueprints themselves."""

import http
from collections.abc import Sequence
from typing import Any

import flask_smorest
from flask import Flask
from marshmallow import Schema, fields

from infra.problems import Text
from infra.web.blueprint import Blueprint
from infra.web.converters import SCHEMAS
from infra.web.errors import PROBLEM_TYPE

VERSION = "1.0.0"


class ProblemError(Schema):
    """One input to blame."""

    pointer = fields.String(required=True)
    detail = fields.String(required=True)


class Problem(Schema):
    """RFC 9457, with our members."""

    type = fields.String(required=True, metadata={"format": "uri"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    rule = fields.String(metadata={"description": "Name of the refusing rule; never translated."})
    errors = fields.List(fields.Nested(ProblemError()))
    current = fields.Dict(metadata={"description": "The resource as it is now."})
    retry = fields.Boolean(metadata={"description": "The same request may succeed later."})


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's, with problems as its errors; handles no error itself."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = "Problem"
    query_routes: frozenset[tuple[str, str]] = frozenset()

    def _register_responses(self) -> None:
        for name in ("Problem", *(status.name for status in http.HTTPStatus if status >= 400)):
            described = "Refused, with the reason." if name == "Problem" else http.HTTPStatus[name].phrase
            content = {PROBLEM_TYPE: {"schema": Problem}}
            self.spec.components.response(name, {"description": described, "content": content}, lazy=True)

    def _register_error_handlers(self) -> None:
        """Errors are registered for the whole app, in infra.web.errors."""


def mount(app: Flask, title: Text, blueprints: Sequence[Blueprint]) -> Api:
    """Registers the blueprints below `/v1`, documented."""
    app.config.update(
        API_TITLE=title.en,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={"info": {"description": title.id}, "servers": [{"url": "."}]},
    )
    api = Api(app)
    for converter, schema in SCHEMAS.items():
        api.register_converter(converter, lambda _, schema=schema: dict(schema))
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix="/v1" + (blueprint.url_prefix or ""))
    api.query_routes = frozenset(pair for blueprint in blueprints for pair in _query_routes(blueprint))
    return api


def _query_routes(blueprint: Blueprint) -> list[tuple[str, str]]:
    return [
        (f"{blueprint.name}.{endpoint}", method.upper())
        for endpoint, methods in blueprint._docs.items()
        for method, documented in methods.items()
        if method != "parameters" and _takes_query(documented)
    ]


def _takes_query(documented: dict[str, Any]) -> bool:
    return any(
        parameter["in"] == "query" for parameter in documented.get("arguments", {}).get("parameters", ())
    )
