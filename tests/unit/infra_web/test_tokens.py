"""Tokens: who is believed, and for how long."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.infra_web.conftest import Issuer, refusal, verifier, write_keys


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("EdDSA", Ed25519PrivateKey.generate()),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("RS256", rsa.generate_private_key(65537, 2048)),
    ],
    ids=["EdDSA", "ES256", "RS256"],
)
def test_the_three_algorithms(algorithm: str, private: Any, jwks: Path) -> None:
    """Each is taken with its own kind of key; what the token says becomes the actor."""
    issuer = Issuer("k", private, algorithm)
    write_keys(jwks, issuer.jwk())
    actor = verifier(jwks).verify(issuer.token("u9", ("hr", "employee"), unit="dinkes"))
    assert (actor.sub, sorted(actor.roles), actor.unit) == ("u9", ["employee", "hr"], "dinkes")


def test_every_route_asks_for_a_token(client: Any, bearer: dict[str, str]) -> None:
    """Unless it is open to all; 401 says how to identify oneself."""
    answer = client.get("/v1/things/me")
    assert (answer.status_code, answer.json["rule"]) == (401, "token-missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bina"'
    answer = client.get("/v1/things/me", headers={"Authorization": "Bearer x.y.z"})
    assert (answer.status_code, answer.json["rule"]) == (401, "token-invalid")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    for odd in ("Basic YTpi", "Bearer", "Bearer  ", bearer["Authorization"].replace("Bearer ", "Token ")):
        assert client.get("/v1/things/me", headers={"Authorization": odd}).status_code == 401
    assert client.get("/v1/things/me", headers=bearer).json == {"sub": "u1", "roles": ["employee"], "unit": None}
    for path in ("/v1/things/open", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 200


def test_roles(client: Any, issuer: Issuer) -> None:
    """One of the named roles is enough; none is 403, with the rule `forbidden`."""
    for roles, status in ((("hr",), 200), (("employee", "admin"), 200), (("employee",), 403), ((), 403)):
        answer = client.get("/v1/things/hr", headers={"Authorization": f"Bearer {issuer.token(roles=roles)}"})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**400},
        {"nbf": 4_000_000_000},
        {"iss": "other"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "a\nb"},
        {"sub": "x" * 201},
        {"roles": "hr"},
        {"roles": {"hr": True}},
        {"roles": ["hr", 1]},
        {"unit": ["dinkes"]},
    ],
    ids=str,
)
def test_claims_that_are_not_believed(claims: dict[str, Any], jwks: Path, issuer: Issuer) -> None:
    """Expired, foreign, incomplete, or of the wrong shape: a role list that is none must not pass for one."""
    assert refusal(verifier(jwks), issuer.token(**claims)) in {"token-invalid", "token-expired"}


def test_an_issuer_may_be_ahead_by_half_a_minute_but_expired_is_expired(jwks: Path, issuer: Issuer) -> None:
    """Clocks of servers differ a little; a lifetime is kept to the second."""
    assert verifier(jwks).verify(issuer.token(nbf=time.time() + 20)).sub == "u1"
    assert refusal(verifier(jwks), issuer.token(nbf=time.time() + 40)) == "token-invalid"
    assert refusal(verifier(jwks), issuer.token(exp=time.time() - 1)) == "token-expired"


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_an_unsigned_token_is_worth_nothing(jwks: Path) -> None:
    """The algorithm `none`, in any spelling."""
    claims = part({"sub": "u1", "roles": ["hr"], "iss": "bina", "aud": "bina", "exp": time.time() + 60})
    for name in ("none", "None", "NONE", ""):
        assert refusal(verifier(jwks), f"{part({'alg': name, 'kid': 'k1'})}.{claims}.") == "token-invalid"


@pytest.mark.parametrize("form", ["pem", "raw", "jwk"])
def test_a_public_key_is_no_secret(form: str, jwks: Path, issuer: Issuer) -> None:
    """A token signed by HMAC with the public key, which everybody has, is not its owner's."""
    public = issuer.private.public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "raw": public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        "jwk": json.dumps(issuer.jwk()).encode(),
    }[form]
    head = part({"alg": "HS256", "kid": "k1"})
    signed = f"{head}.{part({'sub': 'u1', 'iss': 'bina', 'aud': 'bina', 'exp': time.time() + 60})}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert refusal(verifier(jwks), f"{signed}.{part(mac)}") == "token-invalid"


def test_the_key_decides_the_algorithm(jwks: Path, issuer: Issuer) -> None:
    """A good signature under another key's id, and a header that names another algorithm, are both refused."""
    other = Issuer("k2", ec.generate_private_key(ec.SECP256R1()), "ES256")
    write_keys(jwks, issuer.jwk(), other.jwk())
    checker = verifier(jwks)
    assert checker.verify(other.token()).sub == "u1"
    swapped = Issuer("k1", other.private, "ES256")
    assert refusal(checker, swapped.token()) == "token-invalid"


def test_a_token_must_name_its_key(jwks: Path, issuer: Issuer) -> None:
    """No guessing among the keys; no extensions that we don't understand."""
    claims = {"sub": "u1", "iss": "bina", "aud": "bina", "exp": time.time() + 60}
    for header in (None, {"kid": "other"}, {"kid": "k1", "crit": ["b64"]}):
        assert (
            refusal(verifier(jwks), jwt.encode(claims, issuer.private, "EdDSA", headers=header)) == "token-invalid"
        )


def test_a_key_that_a_token_brings_along_is_not_believed(jwks: Path) -> None:
    """Neither in the header nor at an address that it names; nor is the key's name taken for a file's."""
    stranger = Issuer("k1")
    claims = {"sub": "u1", "roles": ["hr"], "iss": "bina", "aud": "bina", "exp": time.time() + 60}
    for header in (
        {"kid": "k1", "jwk": stranger.jwk()},
        {"kid": "k1", "jku": "https://attacker.example/jwks.json"},
        {"kid": "k1", "x5u": "https://attacker.example/key.pem"},
        {"kid": "../../../../dev/null"},
        {"kid": "k1\x00"},
    ):
        token = jwt.encode(claims, stranger.private, "EdDSA", headers=header)
        assert refusal(verifier(jwks), token) == "token-invalid"


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "x" * 9000], ids=lambda t: t[:6])
def test_what_is_no_token(token: str, jwks: Path) -> None:
    """Whatever comes in the header is refused, not stumbled over."""
    assert refusal(verifier(jwks), token) == "token-invalid"


def test_a_changed_token_is_refused(jwks: Path, issuer: Issuer) -> None:
    """Also just after the good one was remembered."""
    checker, token = verifier(jwks), issuer.token()
    checker.verify(token)
    head, claims, signature = token.split(".")
    more = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"roles": ["hr"]}
    assert refusal(checker, f"{head}.{part(more)}.{signature}") == "token-invalid"
