"""The OpenAPI 3.1 document, drawn from the blueprints themselves."""

import http
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flask_smorest
from flask import Flask
from marshmallow import Schema, fields
from werkzeug.routing import BaseConverter

from infra.problems import Text
from infra.web.blueprint import Blueprint
from infra.web.converters import SCHEMAS
from infra.web.errors import PROBLEM_TYPE

VERSION = "1.0.0"


class ProblemError(Schema):
    """One input to blame."""

    pointer = fields.String(required=True, metadata={"description": "JSON pointer, `?name` for a query."})
    detail = fields.String(required=True)


class Problem(Schema):
    """RFC 9457, with our members."""

    type = fields.String(required=True, metadata={"format": "uri", "description": "Ends in the rule."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    rule = fields.String(metadata={"description": "Name of the refusing rule; never translated."})
    errors = fields.List(fields.Nested(ProblemError()), required=True)
    current = fields.Dict(metadata={"description": "The resource as it is now."})
    retry = fields.Boolean(metadata={"description": "The same request may succeed later."})


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's, with problems as its errors; handles no error itself."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"
    query_routes: frozenset[tuple[str, str]] = frozenset()

    def _register_responses(self) -> None:
        content = {PROBLEM_TYPE: {"schema": Problem}}
        described = {"Problem": "Refused, with the reason."}
        described |= {status.name: status.phrase for status in http.HTTPStatus if status >= 400}
        for name, description in described.items():
            response = {"description": description, "content": content}
            self.spec.components.response(name, response, lazy=True)

    def _register_error_handlers(self) -> None:
        """Errors are registered for the whole app, in infra.web.errors."""


def mount(app: Flask, title: Text, blueprints: Sequence[Blueprint]) -> Api:
    """Registers the blueprints below `/v1`, documented."""
    app.config.update(
        API_TITLE=title.en,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        # Relative to the document, so that it is right behind the gateway's prefix, too.
        API_SPEC_OPTIONS={"info": {"description": title.id}, "servers": [{"url": "."}]},
    )
    api = Api(app)
    for converter, schema in SCHEMAS.items():
        api.register_converter(converter, _always(schema))
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix="/v1" + (blueprint.url_prefix or ""))
    api.query_routes = frozenset(pair for blueprint in blueprints for pair in _query_routes(blueprint))
    return api


def document(app: Flask) -> dict[str, Any]:
    """The document of an app that `mount` has been through."""
    made: dict[str, Any] = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    for item in made["paths"].values():
        for operation in item.values():
            parameters = operation.get("parameters", ()) if isinstance(operation, dict) else ()
            for parameter in parameters:
                if parameter.get("in") == "query":
                    parameter["schema"] = _without_null(parameter["schema"])
    return made


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What is optional in a query is left out: nobody can write a null there."""
    made = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    if isinstance(made.get("type"), list):
        kinds = [kind for kind in made["type"] if kind != "null"]
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in made:
        made["enum"] = [value for value in made["enum"] if value is not None]
    return made


def _always(schema: Mapping[str, Any]) -> Callable[[BaseConverter], dict[str, Any]]:
    return lambda _converter: dict(schema)


def _query_routes(blueprint: Blueprint) -> list[tuple[str, str]]:
    return [
        (f"{blueprint.name}.{endpoint}", method.upper())
        for endpoint, methods in blueprint.documented.items()
        for method, operation in methods.items()
        if method != "parameters" and _takes_query(operation)
    ]


def _takes_query(operation: Mapping[str, Any]) -> bool:
    parameters = operation.get("arguments", {}).get("parameters", ())
    return any(parameter["in"] == "query" for parameter in parameters)
