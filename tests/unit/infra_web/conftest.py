"""Keys to sign tokens with, and the sample API."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from infra.problems import Refused, Text
from infra.settings import Settings
from infra.web.app import build_app
from infra.web.keys import File, KeySet
from infra.web.tokens import TokenVerifier
from tests.unit.infra_web.sample import NOW, things


@dataclass
class Issuer:
    """Signs tokens; `claims` and `header` override what is in a good one, None leaves it out."""

    kid: str = "k1"
    private: Any = field(default_factory=Ed25519PrivateKey.generate)
    algorithm: str = "EdDSA"

    def jwk(self, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            self.private.public_key(), as_dict=True
        )
        return {**made, "kid": self.kid, **more}

    def token(self, sub: str = "u1", roles: Any = ("employee",), **claims: Any) -> str:
        whole = {
            "sub": sub,
            "roles": list(roles) if isinstance(roles, tuple) else roles,
            "iss": "bina",
            "aud": "bina",
            "exp": time.time() + 600,
            **claims,
        }
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(given, self.private, self.algorithm, headers={"kid": self.kid})


def write_keys(path: Path, *keys: dict[str, Any]) -> None:
    """Replaces the file in one step, as a deployment does."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"keys": keys}))
    draft.replace(path)


def verifier(path: Path, *, development: bool = False) -> TokenVerifier:
    """Believes the keys of one file."""
    return TokenVerifier(KeySet(File(str(path)), development=development), "bina", "bina")


def refusal(checker: TokenVerifier, token: str) -> str:
    """The rule by which the token is refused."""
    with pytest.raises(Refused) as refused:
        checker.verify(token)
    return refused.value.rule


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def jwks(tmp_path: Path, issuer: Issuer) -> Path:
    path = tmp_path / "jwks.json"
    write_keys(path, issuer.jwk())
    return path


@pytest.fixture
def environment(jwks: Path) -> dict[str, str]:
    return {
        "BINA_MONGODB_URI": "mongodb://localhost",
        "BINA_KAFKA_BOOTSTRAP": "localhost:9092",
        "BINA_JWKS": str(jwks),
    }


@pytest.fixture
def app(environment: dict[str, str]) -> Flask:
    settings = Settings.from_env("sessions", environment)
    title = Text("Bina: hal", "Bina: things")
    return build_app(settings, title, [things()], clock=lambda: NOW, ready={"store": lambda: None})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(issuer: Issuer) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token()}", "Accept-Language": "en"}


@pytest.fixture
def thing() -> dict[str, Any]:
    return {"name": "x", "unit": "dinkes", "status": "held", "minutes": 30}
