"""The public keys that tokens are checked with, from a file or an address, read again as they change."""

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

import jwt

from infra.settings import Settings, SettingsError, development_faults, is_address, is_development_key

FILE_LOOK_SECONDS = 2.0
ADDRESS_LOOK_SECONDS = 60.0
RETRY_SECONDS = 5.0
STALE_SECONDS = 3600.0
FETCH_TIMEOUT_SECONDS = 3.0
LARGEST_SET = 1024 * 1024
UNREADABLE = (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError)

log = logging.getLogger(__name__)


class NoKeysError(Exception):
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


class Source(Protocol):
    """Where a set of keys is read from; `every`: seconds between two looks."""

    every: float

    def read(self) -> bytes | None:
        """The set as JSON, None when it can't have changed since the last reading. Raises what is UNREADABLE."""


class File:
    """A file, read again when its time stamp, size or inode moves."""

    every = FILE_LOOK_SECONDS

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._stamp: object = None

    def read(self) -> bytes | None:
        """The content, None when the file is still the same."""
        status = self._path.stat()
        stamp = status.st_mtime_ns, status.st_size, status.st_ino
        if stamp == self._stamp:
            return None
        content = self._path.read_bytes()
        self._stamp = stamp
        return content


class Address:
    """An https address, in development an http one as well; so is every address that it leads on to."""

    every = ADDRESS_LOOK_SECONDS

    def __init__(self, address: str, *, development: bool) -> None:
        self._request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 - see _opener
        self._opener = _opener(development=development)

    def read(self) -> bytes:
        """The body of the answer."""
        with self._opener.open(self._request, timeout=FETCH_TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read(LARGEST_SET + 1)
        if len(content) > LARGEST_SET:
            raise ValueError("too large for a set of keys")
        return content


def _opener(*, development: bool) -> urllib.request.OpenerDirector:
    """What speaks https and nothing else: the usual one follows a redirection to http and ftp as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    if development:
        opener.add_handler(urllib.request.HTTPHandler())
    return opener


class KeySet:
    """Keys that follow their source: a file within two seconds, an address within a minute.

    An unknown key id looks again at once, though not more often than every five seconds. A source that can't be
    read leaves the last good keys in place for an hour.
    """

    def __init__(self, source: Source, *, development: bool) -> None:
        self._source = source
        self._development = development
        self._keys: Keys | None = None
        self._content = b""
        self._good_at = self._look_at = 0.0
        self._asked_at = -RETRY_SECONDS
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "KeySet":
        """By the settings; reads nothing yet."""
        return cls(source_of(settings), development=settings.development)

    def current(self) -> Keys:
        """The keys as far as known; looks at the source when it is time to. Raises NoKeysError."""
        # One request looks, the others go on with what is there, or wait when there is nothing yet.
        nothing_yet = self._keys is None
        due = nothing_yet or time.monotonic() >= self._look_at
        if due and self._lock.acquire(blocking=nothing_yet):
            try:
                if time.monotonic() >= self._look_at:
                    self._look()
            finally:
                self._lock.release()
        keys = self._keys
        if keys is None:
            raise NoKeysError
        return keys

    def find(self, kid: str) -> Key | None:
        """The key of that id, looking at the source again when it is not known."""
        key = self.current().by_id.get(kid)
        if key is None and time.monotonic() - self._asked_at >= RETRY_SECONDS:
            with self._lock:
                if time.monotonic() - self._asked_at >= RETRY_SECONDS:
                    self._asked_at = time.monotonic()
                    self._look()
            key = self.current().by_id.get(kid)
        return key

    def _look(self) -> None:
        started = time.monotonic()
        self._look_at = started + min(RETRY_SECONDS, self._source.every)
        try:
            content = self._source.read()
            if content is not None and content != self._content:
                self._take(content)
            self._good_at = started
            self._look_at = started + self._source.every
        except UNREADABLE as fault:
            log.warning("the keys can't be read: %s", type(fault).__name__)
            if started - self._good_at > STALE_SECONDS:
                self._keys = None

    def _take(self, content: bytes) -> None:
        found: dict[str, Key] = {}
        for jwk in json.loads(content)["keys"]:
            kid = jwk.get("kid")
            if not isinstance(kid, str) or not kid:
                continue
            if is_development_key(kid) and not self._development:
                log.error("a development key was offered and is ignored")
            elif key := usable_key(jwk):
                found[kid] = key
        generation = self._keys.generation + 1 if self._keys else 1
        self._keys = Keys(found, generation)
        self._content = content


def source_of(settings: Settings) -> Source:
    """The file or the address of the settings."""
    if is_address(settings.jwks):
        return Address(settings.jwks, development=settings.development)
    return File(settings.jwks)


def refuse_development_keys(settings: Settings) -> None:
    """Raises SettingsError when the source offers a development key where none may be.

    An address that doesn't answer yet is no fault: the service is not ready until it does, and such a key is
    ignored later, too.
    """
    if settings.development:
        return
    try:
        keys = json.loads(source_of(settings).read() or b"")["keys"]
        kids = [str(key.get("kid", "")) for key in keys]
    except UNREADABLE as fault:
        log.warning("the keys can't be read yet: %s", type(fault).__name__)
        return
    if faults := development_faults(kids):
        raise SettingsError(faults)


def usable_key(jwk: Mapping[str, Any]) -> Key | None:
    """The key with its algorithm, or None for kinds that we don't take (secrets above all)."""
    algorithm = _ALGORITHMS.get((jwk.get("kty", ""), jwk.get("crv", "")))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    public_part = {name: value for name, value in jwk.items() if name in _PUBLIC_PARTS}
    try:
        public = jwt.PyJWK(public_part, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    too_short = algorithm == "RS256" and public.key_size < 2048
    return None if too_short else Key(public, algorithm)


_PUBLIC_PARTS = frozenset(("kty", "crv", "x", "y", "n", "e", "kid"))
_ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", ""): "RS256"}
