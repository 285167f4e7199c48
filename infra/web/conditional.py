"""Conditional requests and repeatable creates."""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from flask import Response, request

from infra.problems import Refused, Text, stale
from infra.storage.aggregates import Fresh, Stored
from infra.web.auth import current_actor
from infra.web.blueprint import json_body

F = TypeVar("F", bound=Callable[..., Any])

_ETAG = re.compile(r'(?:W/)?"(\d{1,15})"', re.ASCII)
NO_VERSION = -1
"""What nothing that is stored can have as its version."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REQUESTS = uuid.UUID("7b2d7b56-6f5c-4a0e-9d5f-0c8f2c1f9a51")

BAD_KEY = Text(
    "Idempotency-Key harus 1-255 karakter ASCII tanpa spasi.",
    "Idempotency-Key must be 1-255 ASCII characters without blanks.",
)


def if_match() -> int | None:
    """The version that the caller's change is based on: None when not said, NO_VERSION when it isn't one version.

    So that content which is equal stays no change, whatever is said here, and any other is stale. A weak tag is
    taken like a strong one, since proxies that compress weaken tags. `*` is no version: it would overwrite what
    the caller has not seen.
    """
    given = request.headers.get("If-Match")
    if given is None:
        return None
    match = _ETAG.fullmatch(given.strip())
    return int(match[1]) if match else NO_VERSION


def versioned(view: F) -> F:
    """Documents that a transition may say by If-Match on which version it is based."""
    # flask-smorest keeps what it documents of a function in this attribute.
    view._apidoc = {**getattr(view, "_apidoc", {}), "versioned": True}  # type: ignore[attr-defined]
    return view


def unless_stale(show: Callable[[Stored[Any]], Mapping[str, Any]]) -> Fresh:
    """412 with what is stored where this request's If-Match names another version.

    To be asked once it is clear that the step is no repeat of the caller's own last one.
    """
    based_on = if_match()

    def fresh(stored: Stored[Any]) -> None:
        if based_on not in (None, stored.version):
            raise stale(show(stored))

    return fresh


def with_etag(
    body: Any, version: int, *, status: int = 200, location: str | None = None, cacheable: bool = True
) -> Any:
    """What a view returns for one resource: body, status, `ETag`, and `Location` when created.

    A GET whose `If-None-Match` names this version gets 304. cacheable=False for resources that show figures
    which change without their version.
    """
    headers = {"ETag": f'"{version}"'}
    if location is not None:
        headers["Location"] = location
    if cacheable and status == 200 and _is_known(version):
        return Response(status=304, headers=headers)
    return body, status, headers


def _is_known(version: int) -> bool:
    if request.method not in ("GET", "HEAD"):
        return False
    known = request.headers.get("If-None-Match")
    return known is not None and (known.strip() == "*" or str(version) in _ETAG.findall(known))


def idempotent_id(route: str, content: bytes | None = None) -> tuple[str, str | None]:
    """Id for what a POST creates, and a hash of the request when it bears an `Idempotency-Key`, else None.

    The same actor, route and key always give the same id, so the insert itself finds the repeat. content:
    what stands for the request where its body is not JSON.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return str(uuid.uuid4()), None
    if not _KEY.fullmatch(key):
        raise Refused("idempotency-key-malformed", BAD_KEY, status=400)
    made = uuid.uuid5(_REQUESTS, f"{current_actor().sub}\x00{route}\x00{key}")
    canonical = orjson.dumps(json_body(), option=orjson.OPT_SORT_KEYS) if content is None else content
    return str(made), hashlib.sha256(canonical).hexdigest()
