"""Development keys: made fresh for each BINA_HOME, good for tokens of a development copy only."""

import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from infra.settings import DEVELOPMENT


class DevelopmentKeys:
    """The signing key of one home: `keys/private.json` for its owner, `keys/jwks.json` for the services."""

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        env = os.environ if env is None else env
        self._issuer = env.get("BINA_JWT_ISSUER") or "bina"
        self._audience = env.get("BINA_JWT_AUDIENCE") or "bina"
        self._private = home / "keys" / "private.json"
        self.jwks = home / "keys" / "jwks.json"
        self._ensure()
        key = json.loads(self._private.read_text())
        self.kid = str(key["kid"])
        self._key = jwt.PyJWK(key)

    def _ensure(self) -> None:
        """Make the key unless there is one. Two commands at once agree on the first one written."""
        self._private.parent.mkdir(parents=True, exist_ok=True)
        if not self._private.exists():
            # Services know development keys by this beginning, and refuse them anywhere else.
            kid = f"{DEVELOPMENT}-{secrets.token_hex(4)}"
            key = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
            _create(self._private, json.dumps({**key, "kid": kid, "alg": "EdDSA", "use": "sig"}), mode=0o600)
        if not self.jwks.exists():
            public = {name: value for name, value in json.loads(self._private.read_text()).items() if name != "d"}
            _create(self.jwks, json.dumps({"keys": [public]}), mode=0o644)

    def token(self, sub: str, roles: Iterable[str], unit: str | None = None, hours: float = 12) -> str:
        """A signed token for `sub` (an employee id or a system's name), valid from now for `hours`."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "roles": sorted(set(roles)),
            "iat": now,
            "exp": now + int(hours * 3600),
        }
        if unit is not None:
            claims["unit"] = unit
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self.kid})


def _create(path: Path, content: str, mode: int) -> None:
    """Write a file that appears whole or not at all; one that is there already stays."""
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
