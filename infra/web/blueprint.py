"""flask-smorest's Blueprint with our reading of bodies and queries, and typed decorators."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

import flask_smorest
import orjson
from flask import Request, Response, request
from flask.globals import request_ctx
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from infra.problems import Refused, Text
from infra.web.answers import Answer
from infra.web.errors import refusal_of

F = TypeVar("F", bound=Callable[..., Any])

BODY_LIMIT = 1024 * 1024
PARSED = "bina.json"
NOT_JSON = Text("Isi permintaan bukan JSON yang sah.", "The body is not valid JSON.")
NOT_JSON_TYPE = Text("Kirim isi sebagai application/json.", "Send the body as application/json.")
NOT_MULTIPART = Text("Kirim isi sebagai multipart/form-data.", "Send the body as multipart/form-data.")
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The version that the change is based on, quoted; all else is taken for a stale one.",
    "schema": {"type": "string"},
    "example": '"3"',
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key gives the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


WITH_A_BODY = {
    400: "BAD_REQUEST",
    413: "REQUEST_ENTITY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
}
_HEADERS = {"put": IF_MATCH, "post": IDEMPOTENCY_KEY}


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """The resources of one topic. `url_prefix` is put below `/v1` by `build_app`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_with_conventions)

    @property
    def documented(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """What is known for the documentation, by endpoint and lower-case method."""
        known: Mapping[str, Mapping[str, Mapping[str, Any]]] = self._docs
        return known

    def route(self, rule: str, *, methods: Sequence[str] = ("GET",), **options: Any) -> Callable[[F], F]:
        """Serves a function at the path, documented from its docstring (first line: summary)."""
        made: Callable[[F], F] = super().route(rule, methods=list(methods), **options)
        return made

    def response(self, status_code: int, schema: Schema | None = None, **options: Any) -> Callable[[F], F]:
        """Answers with what the function returns, dumped by the schema: an instance, since classes cost more.

        It returns a body, or body, status and headers, or a whole Response, which stays as it is.
        """
        document = super().response(status_code, schema, **options)

        def decorator(function: F) -> F:
            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Response:
                made = function(*args, **kwargs)
                if isinstance(made, Response):
                    return made
                body, status, headers = made if type(made) is tuple else (made, status_code, None)
                content = orjson.dumps(body if schema is None else schema.dump(body))
                return Answer(content, status, headers, content_type="application/json")

            # Of flask-smorest's own wrapper only what it documents is of use.
            wrapper._apidoc = document(function)._apidoc  # type: ignore[attr-defined]
            return wrapper  # type: ignore[return-value]

        return decorator

    def alt_response(self, status_code: int, schema: Schema | None = None, **options: Any) -> Callable[[F], F]:
        """Documents another answer of the function."""
        document = super().alt_response(status_code, schema=schema, **options)

        def decorator(function: F) -> F:
            function._apidoc = document(function)._apidoc  # type: ignore[attr-defined]
            return function

        return decorator

    def doc(self, **options: Any) -> Callable[[F], F]:
        """Adds to the operation's documentation."""
        made: Callable[[F], F] = super().doc(**options)
        return made

    def arguments(self, schema: Schema, *, location: str = "json", **options: Any) -> Callable[[F], F]:
        """Passes the validated body (`json`), query (`query`) or upload (`files`) as an argument."""
        documented = {"in": location, "required": True, "schema": schema, **options}
        load = _LOADERS[location]

        def decorator(function: F) -> F:
            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return function(*args, load(schema), **kwargs)

            docs = deepcopy(getattr(function, "_apidoc", {}))
            docs.setdefault("arguments", {}).setdefault("parameters", []).insert(0, documented)
            wrapper._apidoc = docs  # type: ignore[attr-defined]
            return wrapper  # type: ignore[return-value]

        return decorator


def _with_conventions(doc: dict[str, Any], info: Mapping[str, Any], *, method: str, **_: Any) -> dict[str, Any]:
    """Documents what holds for every operation of its kind: identity, repeats, versions, what may go wrong."""
    responses = doc.setdefault("responses", {})
    if not info.get("public"):
        doc["security"] = [{"bearer": []}]
        responses.setdefault(401, "UNAUTHORIZED")
        responses.setdefault(403, "FORBIDDEN")
    if "arguments" in info:
        responses.setdefault(422, "UNPROCESSABLE_ENTITY")
    if "requestBody" in doc or "requestBody" in info.get("manual_doc", ()):
        responses.update(WITH_A_BODY)
    if header := _HEADERS.get(method) if 201 in responses else None:
        doc.setdefault("parameters", []).append(dict(header))
    if info.get("versioned"):
        doc.setdefault("parameters", []).append(dict(IF_MATCH))
        responses[412] = "PRECONDITION_FAILED"
    if method == "put" and 201 in responses:
        responses.update({412: "PRECONDITION_FAILED", 428: "PRECONDITION_REQUIRED"})
    return doc


def json_body() -> Any:
    """The body, parsed once a request. 415 for another type, 400 for what is no JSON (NaN included)."""
    current = request_ctx.request
    if PARSED not in current.environ:
        if current.mimetype != "application/json":
            raise Refused("content-type", NOT_JSON_TYPE, status=415)
        try:
            current.environ[PARSED] = orjson.loads(_whole_body(current))
        except orjson.JSONDecodeError:
            raise Refused("not-json", NOT_JSON, status=400) from None
    return current.environ[PARSED]


def _whole_body(current: Request) -> bytes:
    length, most = current.content_length, current.max_content_length or BODY_LIMIT
    if length is not None and length <= most:
        # In one piece: werkzeug reads, and copies, until nothing more comes.
        whole: bytes = current.environ["wsgi.input"].read(length)
        return whole
    raw = current.get_data(cache=False)
    # A body without a length is cut off at the limit by werkzeug, silently.
    if length is None and len(raw) >= most:
        raise RequestEntityTooLarge
    return raw


def load_item(schema: Schema, item: Any, pointer: str = "") -> Any:
    """Validates one part of a body; what is wrong raises the 422 with pointers below `pointer`."""
    try:
        return schema.load(item)
    except ValidationError as error:
        raise refusal_of(error, pointer) from None


def body_limit(limit: int) -> Callable[[F], F]:
    """Lets a route take more than the usual 1 MiB (in bytes). Put it directly under `route`."""

    def decorator(function: F) -> F:
        function.body_limit = limit  # type: ignore[attr-defined]
        return function

    return decorator


def _load_json(schema: Schema) -> Any:
    return load_item(schema, json_body())


def _load_query(schema: Schema) -> Any:
    return load_item(schema, request.args.to_dict(), "?")


def _load_files(schema: Schema) -> Any:
    if request.mimetype != "multipart/form-data":
        raise Refused("content-type", NOT_MULTIPART, status=415)
    return load_item(schema, {**request.form.to_dict(), **request.files.to_dict()})


_LOADERS: dict[str, Callable[[Schema], Any]] = {
    "json": _load_json,
    "query": _load_query,
    "files": _load_files,
}
