"""Tokens: who is believed, by which keys, and for how long."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.problems import Refused
from infra.settings import Settings
from infra.web import keys
from infra.web.keys import Address, File, KeySet, NoKeysError, usable_key
from infra.web.tokens import TokenVerifier
from tests.unit.infra_web.conftest import Issuer, write_keys


class Watch:
    """Stands for the monotonic clock of infra.web.keys."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(keys, "time", made)
    return made


def verifier(path: Path, *, development: bool = False) -> TokenVerifier:
    return TokenVerifier(KeySet(File(str(path)), development=development), "bina", "bina")


def refusal(checker: TokenVerifier, token: str) -> str:
    with pytest.raises(Refused) as refused:
        checker.verify(token)
    return refused.value.rule


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


def test_unusable_keys_are_left_out(issuer: Issuer) -> None:
    """Secrets, short RSA keys, keys for encryption, unknown curves, and what is no key at all."""
    assert usable_key(issuer.jwk()) is not None
    short = Issuer("s", rsa.generate_private_key(65537, 1024), "RS256").jwk()
    for bad in (
        {"kty": "oct", "k": "c2VjcmV0"},
        short,
        issuer.jwk(use="enc"),
        issuer.jwk(alg="HS256"),
        issuer.jwk(crv="Ed448"),
        issuer.jwk(x="AA"),
        {"kty": "OKP", "crv": "Ed25519"},
    ):
        assert usable_key(bad) is None


def test_keys_rotate_without_a_restart(jwks: Path, watch: Watch, issuer: Issuer) -> None:
    """A new key works at once; a removed one stops within two seconds, remembered tokens too."""
    checker, fresh = verifier(jwks), Issuer("k2")
    checker.verify(issuer.token())
    write_keys(jwks, issuer.jwk(), fresh.jwk())
    assert checker.verify(fresh.token()).sub == "u1"
    write_keys(jwks, fresh.jwk())
    watch.now += 2
    assert refusal(checker, issuer.token()) == "token-invalid"
    assert checker.verify(fresh.token()).sub == "u1"


def test_a_development_key_that_appears_later_is_ignored(
    jwks: Path, watch: Watch, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """The check at the start is not the only one."""
    checker, everybodys = verifier(jwks), Issuer("development")
    checker.verify(issuer.token())
    write_keys(jwks, issuer.jwk(), everybodys.jwk())
    watch.now += 2
    assert refusal(checker, everybodys.token()) == "token-invalid"
    assert "development key" in caplog.text
    assert verifier(jwks, development=True).verify(everybodys.token()).sub == "u1"


def test_keys_that_cannot_be_read_stay_for_an_hour(jwks: Path, watch: Watch, issuer: Issuer) -> None:
    """A broken file doesn't lock everybody out; one that stays broken does, with 503."""
    checker = verifier(jwks)
    checker.verify(issuer.token())
    jwks.write_text("{")
    watch.now += 1800
    assert checker.verify(issuer.token("u2")).sub == "u2"
    jwks.unlink()
    watch.now += 1801
    with pytest.raises(NoKeysError):
        checker.ready()
    assert refusal(checker, issuer.token()) == "unavailable"


class Served(BaseHTTPRequestHandler):
    """An address of keys that counts how often it is asked."""

    content = b""
    asked = 0

    def do_GET(self) -> None:
        Served.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(Served.content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Served.asked = 0
    server = HTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jwks"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_asked_seldom(address: str, watch: Watch, issuer: Issuer) -> None:
    """Once a minute; again for an unknown key id, but not for each one that somebody makes up."""
    Served.content = json.dumps({"keys": [issuer.jwk()]}).encode()
    checker = TokenVerifier(KeySet(Address(address), development=False), "bina", "bina")
    for number in range(20):
        checker.verify(issuer.token(f"u{number}"))
    assert Served.asked == 1
    fresh = Issuer("k2")
    Served.content = json.dumps({"keys": [fresh.jwk()]}).encode()
    assert checker.verify(fresh.token()).sub == "u1"
    for number in range(20):
        assert refusal(checker, Issuer(f"made-up-{number}").token()) == "token-invalid"
    assert Served.asked == 2
    watch.now += 60
    checker.verify(fresh.token("u2"))
    assert Served.asked == 3


def test_an_address_that_is_away(watch: Watch, environment: dict[str, str], issuer: Issuer) -> None:
    """The service starts, is not ready, answers 503, and asks again five seconds later."""
    settings = Settings.from_env("sessions", environment | {"BINA_JWKS": "https://127.0.0.1:1/jwks"})
    keys.refuse_development_keys(settings)
    checker = TokenVerifier.of(settings)
    assert refusal(checker, issuer.token()) == "unavailable"
    with pytest.raises(NoKeysError):
        checker.ready()


def test_many_requests_at_once_read_the_keys_once(jwks: Path, issuer: Issuer) -> None:
    """Nobody is refused while the first one reads."""
    reads: list[float] = []

    class Counted(File):
        def read(self) -> bytes | None:
            reads.append(time.monotonic())
            return super().read()

    checker = TokenVerifier(KeySet(Counted(str(jwks)), development=False), "bina", "bina")
    token, failed = issuer.token(), []

    def call() -> None:
        try:
            checker.verify(token)
        except Refused as refused:
            failed.append(refused.rule)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(reads) == 1


def test_a_time_stamp_that_moves_is_enough(jwks: Path, watch: Watch, issuer: Issuer) -> None:
    """The same content under a new time stamp changes nothing for remembered tokens."""
    checker = verifier(jwks)
    checker.verify(issuer.token())
    os.utime(jwks, ns=(1, 1))
    watch.now += 2
    assert checker.verify(issuer.token()).sub == "u1"
