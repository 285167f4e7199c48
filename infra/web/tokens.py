"""JSON Web Tokens: EdDSA, ES256 or RS256, by keys that may rotate while we run.

Each algorithm belongs to a kind of key, and the key alone decides which one counts: neither `none` nor a
public key used as an HMAC secret gets through.
"""

import hashlib
import time
from typing import Any

import jwt

from infra.actor import Actor
from infra.problems import Refused, Text
from infra.settings import Settings
from infra.web.keys import KeySet, NoKeysError

LEEWAY_SECONDS = 30
"""How far the issuer's clock may be ahead of ours; a token that has expired gets no time on top."""
REMEMBERED_SECONDS = 30.0
REMEMBERED_TOKENS = 20_000
LONGEST_TOKEN = 8192

INVALID = Text("Token tidak sah.", "The token is not valid.")
EXPIRED = Text("Token sudah kedaluwarsa.", "The token has expired.")
NO_KEYS = Text("Kunci pemeriksa token sedang tidak tersedia.", "The keys to check tokens are unavailable.")


class TokenVerifier:
    """Checks tokens against `keys`; good ones are remembered for half a minute, or until the keys change."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._remembered: dict[bytes, tuple[float, int, Actor]] = {}

    @classmethod
    def of(cls, settings: Settings) -> "TokenVerifier":
        """By the settings; reads no key until the first token comes."""
        return cls(KeySet.of(settings), settings.jwt_issuer, settings.jwt_audience)

    def ready(self) -> None:
        """Raises NoKeysError when tokens can't be checked."""
        self._keys.current()

    def verify(self, token: str) -> Actor:
        """The actor whom the token names. 401 when it is not good, 503 when there are no keys."""
        try:
            return self._verify(token)
        except NoKeysError:
            raise Refused("unavailable", NO_KEYS, status=503, retry=True) from None
        except jwt.ExpiredSignatureError:
            raise Refused("token-expired", EXPIRED, status=401) from None
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
            raise Refused("token-invalid", INVALID, status=401) from None

    def _verify(self, token: str) -> Actor:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("longer than any token of ours")
        digest = hashlib.sha256(token.encode()).digest()
        generation = self._keys.current().generation
        known = self._remembered.get(digest)
        if known and known[0] > time.time() and known[1] == generation:
            return known[2]
        claims = self._checked(token)
        actor = _actor(claims)
        self._remember(digest, float(claims["exp"]), generation, actor)
        return actor

    def _checked(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if not isinstance(kid, str) or "crit" in header:
            raise ValueError("no key named")
        key = self._keys.find(kid)
        if key is None:
            raise ValueError("key not known")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub", "iss", "aud"]},
        )
        if float(claims["exp"]) <= time.time():
            raise jwt.ExpiredSignatureError
        return claims

    def _remember(self, digest: bytes, expires: float, generation: int, actor: Actor) -> None:
        # Forgetting all of them now and then costs less than keeping them in order.
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered.clear()
        until = min(expires, time.time() + REMEMBERED_SECONDS)
        self._remembered[digest] = (until, generation, actor)


def _actor(claims: dict[str, Any]) -> Actor:
    """Reads what the rights depend on, strictly: a role list that is no list must not pass for one."""
    sub, roles, unit = claims["sub"], claims.get("roles", []), claims.get("unit")
    if not sub.strip() or len(sub) > 200 or not sub.isprintable():
        raise ValueError("no usable subject")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles must be a list of words")
    if unit is not None and not isinstance(unit, str):
        raise ValueError("unit must be a code")
    return Actor(sub, frozenset(roles), unit)
