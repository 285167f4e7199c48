"""What all resources do alike: show what is stored, list it, tell its activity, note what auditors read."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, g, request
from marshmallow import Schema

from infra.actor import Actor
from infra.problems import Text
from infra.storage.aggregates import Aggregates, Stored
from infra.storage.paging import page
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint
from infra.web.conditional import idempotent_id
from infra.web.paging import list_of, piece

from ..commands.saving import Post, Show, found
from ..domain import access
from ..schemas.common import ActivityOut

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])
Shown = dict[str, Any]
activity_out = list_of(ActivityOut)


def right(action: str) -> Callable[[F], F]:
    """Lets only those pass who have a role that may do this: 403 comes before anything is said of the body."""

    def decorator(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            access.check(current_actor(), action)
            return view(*args, **kwargs)

        return cast("F", checked)

    return decorator


def stored_as(shown: Callable[[Stored[Any]], Shown], schema: Schema) -> Show:
    """What is stored, in the very form in which a GET shows it: refusals carry it as `current`."""
    return lambda stored: cast("Shown", schema.dump(shown(stored)))


def new(route: str, content: bytes | None = None) -> Post:
    """Id for what a POST creates; the same for a repeat with the same Idempotency-Key."""
    return Post(*idempotent_id(route, content))


def with_times(stored: Stored[Any], **fields: Any) -> Shown:
    """The fields of a resource with what every resource has."""
    return {
        **fields,
        "version": stored.version,
        "effective_at": stored.effective_at,
        "updated_at": stored.updated_at,
    }


def listed(
    repository: Aggregates[Any],
    query: Mapping[str, Any],
    args: Mapping[str, Any],
    sort: list[tuple[str, int]],
) -> tuple[list[Stored[Any]], str | None]:
    """One page of a list, and the cursor of the next."""
    documents, after = page(repository.collection, query, sort=sort, limit=args["limit"], cursor=args["cursor"])
    return [repository.read(document) for document in documents], after


def activity(repository: Aggregates[Any], id_: str, what: Text, args: Mapping[str, Any], *, notes: bool) -> Shown:
    """Who did what and when to one resource, by pages. notes: whether the caller may read the reasons given."""
    found(repository.get(id_), what)
    entries = repository.activity(id_)
    return piece([entry if notes else {**entry, "note": None} for entry in entries], args)


def audited(blueprint: Blueprint) -> Blueprint:
    """Logs what auditors read: who, which path, which ids; no personal data and no query string."""
    blueprint.after_request(_note)
    return blueprint


def _note(response: Response) -> Response:
    actor: Actor | None = g.get("actor")
    reads = request.method == "GET" or request.path.endswith("/search")
    if actor and actor.has("auditor") and reads and response.status_code < 400 and request.url_rule:
        log.info(
            "audit: read",
            extra={"actor": actor.sub, "path": request.url_rule.rule, "ids": dict(request.view_args or {})},
        )
    return response
