"""Who calls: a bearer token checked against the city's public keys."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from flask import g

from infra.actor import Actor
from infra.problems import Refused, Text, forbidden

F = TypeVar("F", bound=Callable[..., Any])

NO_TOKEN = Text(
    "Sertakan token: Authorization: Bearer <token>.",
    "Send a token: Authorization: Bearer <token>.",
)
NO_RIGHT = Text("Peran Anda tidak berhak melakukan ini.", "Your role doesn't allow this.")


class Verifier(Protocol):
    """Checks a token. Raises Refused 401 for one that is not good, 503 when no keys could be had."""

    def verify(self, token: str) -> Actor:
        """The actor whom the token names."""


def public(view: F) -> F:
    """Opens a route to everybody, token or not."""
    view.public = True  # type: ignore[attr-defined]
    # flask-smorest keeps what it documents of a function in this attribute.
    view._apidoc = {**getattr(view, "_apidoc", {}), "public": True}  # type: ignore[attr-defined]
    return view


def authenticate(verifier: Verifier, authorization: str) -> Actor:
    """Makes the caller of this request known by its `Authorization` header, or refuses it with 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("token-missing", NO_TOKEN, status=401)
    actor = g.actor = verifier.verify(token.strip())
    return actor


def current_actor() -> Actor:
    """The caller of this request; only on routes that need a token."""
    actor: Actor = g.actor
    return actor


def require(*roles: str) -> Actor:
    """The caller, who must have at least one of the roles; else 403."""
    actor = current_actor()
    if not actor.has(*roles):
        raise forbidden(NO_RIGHT)
    return actor
