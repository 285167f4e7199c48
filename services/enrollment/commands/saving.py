"""The two ways in which HTTP saves: a conditional PUT, and a POST that may be repeated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.problems import Refused, Text, check_same_request, needs_version, stale, unknown
from infra.storage.aggregates import Aggregates, Change, Exists, Stale, Stored

from ..context import When
from ..domain import histories

S = TypeVar("S", bound=msgspec.Struct)
Show = Callable[[Stored[Any]], Mapping[str, Any]]
"""The resource as its readers see it: a refusal shows what is stored."""


@dataclass(frozen=True)
class Put(Generic[S]):
    """A PUT. based_on: the version in If-Match. build: the new state, from a time on, from the old one; the same
    if equal.
    """

    id: str
    aggregate: str
    based_on: int | None
    build: Callable[[S | None, datetime], S]
    show: Show


@dataclass(frozen=True)
class Post:
    """Id of what a POST creates; request: hash of the request, None without an Idempotency-Key."""

    id: str
    request: str | None = None

    @property
    def extra(self) -> dict[str, str]:
        """What is kept of the request beside the state."""
        return {"request": self.request} if self.request else {}


def put(
    repository: Aggregates[S], what: Put[S], actor: Actor, when: When, session: ClientSession | None = None
) -> tuple[Stored[S], bool]:
    """What is stored after a PUT, and whether it was created. Equal content changes nothing.

    Raises Refused 412 or 428 (with what is stored) before any other rule speaks.
    """
    while True:
        stored = repository.get(what.id, session)
        try:
            if stored is None:
                return _created(repository, what, actor, when, session), True
            return _changed(repository, what, stored, actor, when, session), False
        except (Exists, Stale):
            if session is not None:
                raise


def _created(
    repository: Aggregates[S], what: Put[S], actor: Actor, when: When, session: ClientSession | None
) -> Stored[S]:
    if what.based_on is not None:
        raise stale({})
    change = when.change(f"{what.aggregate}.created", actor)
    return repository.insert(what.build(None, when.effective_at), change, session=session)


def _changed(
    repository: Aggregates[S],
    what: Put[S],
    stored: Stored[S],
    actor: Actor,
    when: When,
    session: ClientSession | None,
) -> Stored[S]:
    outdated, when = _outdated(stored, what), when.after(stored.effective_at)
    try:
        state = what.build(stored.state, when.effective_at)
    except Refused as refused:
        raise outdated or refused from None
    if state == stored.state:
        return stored
    if outdated:
        raise outdated
    histories.in_order(when.effective_at, stored.effective_at)
    return repository.replace(stored, state, when.change(f"{what.aggregate}.changed", actor), session=session)


def _outdated(stored: Stored[S], what: Put[S]) -> Refused | None:
    if what.based_on == stored.version:
        return None
    return (needs_version if what.based_on is None else stale)(what.show(stored))


def repeated(repository: Aggregates[S], post: Post, session: ClientSession | None = None) -> Stored[S] | None:
    """What an earlier request with the same Idempotency-Key made; 422 where that was another request."""
    if post.request is None:
        return None
    stored = repository.get(post.id, session)
    if stored is not None:
        check_same_request(stored.extra.get("request"), post.request)
    return stored


def found(stored: Stored[S] | None, what: Text) -> Stored[S]:
    """The stored one; 404 when there is none."""
    if stored is None:
        raise unknown(what)
    return stored


def update(
    repository: Aggregates[S],
    id_: str,
    decide: Callable[[S], S],
    change: Callable[[S], Change],
    fields: Callable[[S], Mapping[str, Any]] | None = None,
) -> bool:
    """Changes one aggregate by a rule that depends on nothing else; False when there is no such aggregate.

    Decides anew when it was changed meanwhile. fields: the derived fields of the new state, where there are any.
    """
    while (stored := repository.get(id_)) is not None:
        state = decide(stored.state)
        if state == stored.state:
            return True
        try:
            repository.replace(stored, state, change(state), extra=fields(state) if fields else None)
        except Stale:
            continue
        return True
    return False
