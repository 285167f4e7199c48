"""Every refusal, fault and accident as an RFC 9457 problem in the caller's language."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from flask import Flask, Response, current_app, request
from marshmallow import ValidationError
from pymongo.errors import PyMongoError
from werkzeug.exceptions import HTTPException

from infra.problems import FieldError, Language, Refused, Text, invalid
from infra.storage.failures import may_pass
from infra.web.context import language
from infra.web.messages import HTTP, bilingual, title_of

PROBLEM_TYPE = "application/problem+json"
TYPE_BASE = "https://bina.tangerangkota.go.id/problems/"
RETRY_AFTER_SECONDS = 2

log = logging.getLogger(__name__)

BUSY = Text(
    "Layanan sedang tidak dapat menjangkau penyimpanannya; coba lagi sebentar lagi.",
    "The service can't reach its storage at the moment; try again shortly.",
)
BROKEN = Text(
    "Terjadi kesalahan pada layanan. Sebutkan nomor {id} bila melapor.",
    "Something went wrong in the service. Mention {id} when you report it.",
)
MOST_ERRORS = 100
MORE_ERRORS = Text("Masih ada kesalahan lain.", "There are more faults.")
TOO_LARGE = Text("Isi permintaan paling besar {limit} byte.", "The body may have at most {limit} bytes.")


def problem(refused: Refused, say: Language | None = None) -> dict[str, Any]:
    """The refusal as the members of a problem; for one item of a bulk answer as well as for a whole one."""
    spoken = say or language()
    made: dict[str, Any] = {
        "type": TYPE_BASE + refused.rule,
        "title": title_of(refused).say(spoken),
        "status": refused.status,
        "detail": refused.detail.say(spoken),
        "rule": refused.rule,
        "errors": [{"pointer": e.pointer, "detail": e.detail.say(spoken)} for e in refused.errors],
    }
    if refused.current is not None:
        made["current"] = refused.current
    if refused.retry is not None:
        made["retry"] = refused.retry
    return made


def field_errors(error: ValidationError, prefix: str = "") -> tuple[FieldError, ...]:
    """The nested messages as flat errors with JSON pointers below `prefix`; `?` for query parameters.

    Of more than 100, the last one says that there are more.
    """
    found = tuple(islice(_flatten(error.messages, prefix), MOST_ERRORS + 1))
    return found if len(found) <= MOST_ERRORS else (*found[:MOST_ERRORS], FieldError(prefix, MORE_ERRORS))


def refusal_of(error: ValidationError, prefix: str = "") -> Refused:
    """The 422 for what a schema found."""
    return invalid(*field_errors(error, prefix))


def _flatten(messages: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _flatten(below, _descend(pointer, key))
    elif isinstance(messages, Text | str):
        yield FieldError(pointer, bilingual(messages))
    else:
        for message in messages:
            yield from _flatten(message, pointer)


def _descend(pointer: str, key: object) -> str:
    if key == "_schema":
        return pointer
    step = str(key).replace("~", "~0").replace("/", "~1")
    # A query parameter has no inside: `?unit` stays `?unit` for its first value, too.
    if pointer.startswith("?"):
        return f"?{step}" if pointer == "?" else pointer
    return f"{pointer}/{step}"


def answer(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """The whole answer for a refusal."""
    spoken = language()
    body = current_app.json.dumps(problem(refused, spoken))
    response = Response(body, refused.status, content_type=PROBLEM_TYPE)
    response.headers["Content-Language"] = spoken
    response.headers["Vary"] = "Accept-Language"
    if refused.status in (429, 503):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def register(app: Flask) -> None:
    """Makes all exceptions of the app end as problems."""
    app.register_error_handler(Refused, lambda refused: answer(refused, _challenge(refused)))
    app.register_error_handler(ValidationError, lambda error: answer(refusal_of(error)))
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(PyMongoError, _from_storage)
    app.register_error_handler(Exception, _from_accident)


def _challenge(refused: Refused) -> dict[str, str]:
    if refused.status != 401:
        return {}
    fault = "" if refused.rule == "token-missing" else ', error="invalid_token"'
    return {"WWW-Authenticate": f'Bearer realm="bina"{fault}'}


def _from_http(error: HTTPException) -> Response:
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return answer(_refusal_of_status(error.code or 500), headers)


def _refusal_of_status(status: int) -> Refused:
    if status == 413:
        return Refused("too-large", TOO_LARGE.format(limit=request.max_content_length), status=413)
    rule, detail = HTTP.get(status, HTTP[400 if status < 500 else 500])
    return Refused(rule, detail, status=status)


def _from_storage(error: PyMongoError) -> Response:
    if may_pass(error):
        log.warning("storage unavailable: %s", type(error).__name__)
        return answer(Refused("unavailable", BUSY, status=503, retry=True))
    return _from_accident(error)


def _from_accident(error: Exception) -> Response:
    number = uuid.uuid4().hex[:12]
    log.error("unexpected error %s", number, exc_info=error)
    return answer(Refused("internal", BROKEN.format(id=number), status=500))
