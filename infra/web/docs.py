"""`/openapi.json` and `/docs`, the page drawn from it: on the server, without scripts, in two languages."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import flask
from flask import Response, render_template

from infra.problems import Text
from infra.web.auth import public
from infra.web.context import language
from infra.web.openapi import document

METHODS = ("get", "put", "post", "delete")
LABELS = {
    "heading": Text("Antarmuka HTTP", "HTTP interface"),
    "machine": Text("Dokumen OpenAPI 3.1 untuk mesin", "OpenAPI 3.1 document for machines"),
    "token": Text(
        "Selain yang bertanda terbuka, semua meminta Authorization: Bearer <token>.",
        "All but those marked open ask for Authorization: Bearer <token>.",
    ),
    "open": Text("terbuka", "open"),
    "name": Text("Nama", "Name"),
    "where": Text("Tempat", "Place"),
    "kind": Text("Jenis", "Type"),
    "meaning": Text("Arti", "Meaning"),
    "body": Text("Isi permintaan", "Request body"),
    "answers": Text("Jawaban", "Answers"),
    "refusals": Text("Penolakan", "Refusals"),
    "schemas": Text("Bentuk data", "Shapes of data"),
    "required": Text("wajib", "required"),
}


class Kind(NamedTuple):
    """How a schema is shown: words, and the name of the shape that they refer to."""

    words: str
    shape: str | None


def blueprint(title: Text) -> flask.Blueprint:
    """The two routes for this service's API."""
    pages = flask.Blueprint(
        "docs", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static"
    )

    @cache
    def drawn() -> dict[str, Any]:
        return document(flask.current_app)

    @pages.get("/openapi.json")
    @public
    def openapi_json() -> Response:
        return flask.jsonify(drawn())

    @pages.get("/docs")
    @public
    def docs() -> Response:
        spoken = language()
        labels = {name: text.say(spoken) for name, text in LABELS.items()}
        page = render_template(
            "docs.html",
            language=spoken,
            title=title.say(spoken),
            label=labels,
            topics=_topics(drawn()),
            shapes=drawn().get("components", {}).get("schemas", {}),
            kind=kind_of,
        )
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Language"] = spoken
        response.headers["Vary"] = "Accept-Language"
        return response

    return pages


def _topics(document: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
    """Each tag with its operations, in the order of registration."""
    operations = list(_operations(document))
    return [
        (tag, [operation for operation in operations if tag["name"] in operation["tags"]])
        for tag in document.get("tags", [])
    ]


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = dict(item[method])
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                answers = sorted(operation["responses"].items())
                yield {
                    **operation,
                    "method": method,
                    "path": path,
                    "parameters": parameters,
                    "answers": [(status, answer) for status, answer in answers if status < "4"],
                    "refusals": [status for status, _ in answers if "4" <= status < "6"],
                }


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """A schema in a few words: `string (uuid)`, `list of SessionOut`, `planned | held`, `integer 5..480, null`."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return Kind(name, name)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            kinds = [kind_of(part) for part in schema[key]]
            shape = next((kind.shape for kind in kinds if kind.shape), None)
            return Kind(" | ".join(kind.words for kind in kinds), shape)
    return _plain_kind(schema)


def _plain_kind(schema: Mapping[str, Any]) -> Kind:
    given = schema.get("type", "any")
    types = [given] if isinstance(given, str) else list(given)
    if "array" in types:
        inner = kind_of(schema.get("items", {}))
        return Kind(f"list of {inner.words}", inner.shape)
    if "enum" in schema:
        return Kind(" | ".join("null" if value is None else str(value) for value in schema["enum"]), None)
    words = ", ".join(types)
    if "format" in schema:
        words += f" ({schema['format']})"
    if "minimum" in schema or "maximum" in schema:
        words += f" {schema.get('minimum', '')}..{schema.get('maximum', '')}"
    return Kind(words, None)
