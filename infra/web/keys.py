"""The public keys that tokens are checked with, from a file or an address, read again as they change."""

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from infra.settings import is_address, is_development_key

FILE_LOOK_SECONDS = 2.0
ADDRESS_AGE_SECONDS = 60.0
RETRY_SECONDS = 5.0
STALE_SECONDS = 3600.0
FETCH_TIMEOUT_SECONDS = 3.0
LARGEST_SET = 1024 * 1024

log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """No set of keys could be read, now or lately."""


@dataclass(frozen=True)
class Key:
    """One public key and the only algorithm it is good for."""

    public: Any
    algorithm: str


@dataclass(frozen=True)
class Keys:
    """The keys by id. generation: changes whenever the keys do."""

    by_id: Mapping[str, Key] = field(default_factory=dict)
    generation: int = 0


class KeySet:
    """Keys that follow their source: a file when its time stamp moves, an address every minute.

    An unknown key id looks again at once, though not more often than every five seconds. A source that can't be read leaves
    the last good keys in place for an hour.
    """

    def __init__(self, source: str, *, development: bool) -> None:
        self._source = source
        self._development = development
        self._is_address = is_address(source)
        self._keys: Keys | None = None
        self._raw = b""
        self._stamp: object = None
        self._good_at = 0.0
        self._look_at = 0.0
        self._tried_at = -RETRY_SECONDS
        self._lock = threading.Lock()

    def current(self) -> Keys:
        """The keys as far as known; looks at the source when it is time to. Raises KeysUnavailable."""
        if time.monotonic() >= self._look_at:
            # One request looks, the others go on with what is there (or wait when there is nothing yet).
            if self._lock.acquire(blocking=self._keys is None):
                try:
                    self._look(force=False)
                finally:
                    self._lock.release()
        if self._keys is None:
            raise KeysUnavailable(self._source)
        return self._keys

    def find(self, kid: str) -> Key | None:
        """The key of that id, looking at the source again when it is not known."""
        key = self.current().by_id.get(kid)
        if key is None and time.monotonic() - self._tried_at >= RETRY_SECONDS:
            with self._lock:
                self._look(force=True)
            key = self.current().by_id.get(kid)
        return key

    def _look(self, *, force: bool) -> None:
        now = time.monotonic()
        if not force and now < self._look_at or force and now - self._tried_at < RETRY_SECONDS:
            return
        self._look_at = now + (RETRY_SECONDS if self._is_address else FILE_LOOK_SECONDS)
        try:
            self._read(now, force)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            self._tried_at = now
            log.error("the keys can't be read: %s", type(fault).__name__)
            if now - self._good_at > STALE_SECONDS:
                self._keys = None

    def _read(self, now: float, force: bool) -> None:
        stamp = None if self._is_address else _stamp(Path(self._source))
        if self._is_address or force or stamp != self._stamp:
            self._tried_at = now
            raw = _fetch(self._source) if self._is_address else Path(self._source).read_bytes()
            if raw != self._raw or self._keys is None:
                generation = self._keys.generation + 1 if self._keys else 1
                self._keys = Keys(self._parsed(raw), generation)
                self._raw = raw
            self._stamp = stamp
        self._good_at = now
        if self._is_address:
            self._look_at = now + ADDRESS_AGE_SECONDS

    def _parsed(self, raw: bytes) -> dict[str, Key]:
        found: dict[str, Key] = {}
        for jwk in json.loads(raw)["keys"]:
            kid = jwk.get("kid")
            if not isinstance(kid, str) or not kid:
                continue
            if is_development_key(kid) and not self._development:
                log.error("a development key was offered and is ignored")
                continue
            if key := usable_key(jwk):
                found[kid] = key
        return found


def _stamp(path: Path) -> object:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _fetch(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_SECONDS) as answer:
        raw: bytes = answer.read(LARGEST_SET + 1)
    if len(raw) > LARGEST_SET:
        raise ValueError("too large for a set of keys")
    return raw


def usable_key(jwk: Mapping[str, Any]) -> Key | None:
    """The key with its algorithm, or None for kinds that we don't take (secrets above all)."""
    algorithm = _ALGORITHMS.get((jwk.get("kty", ""), jwk.get("crv", "")))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        public = jwt.PyJWK({**_public_part(jwk)}, algorithm=algorithm).key
    except jwt.PyJWTError:
        return None
    too_short = algorithm == "RS256" and public.key_size < 2048
    return None if too_short else Key(public, algorithm)


def _public_part(jwk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e", "kid")}


_ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", ""): "RS256"}
