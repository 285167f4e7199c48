"""Keys: where they come from, which are used, and what happens when they change or can't be had."""

import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.problems import Refused
from infra.settings import Settings
from infra.web import keys
from infra.web.keys import Address, File, KeySet, NoKeysError, usable_key
from infra.web.tokens import TokenVerifier
from tests.unit.infra_web.conftest import Issuer, refusal, verifier, write_keys


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
        if self.path == "/nonsense":
            self.wfile.write(b"This is no HTTP.\r\n\r\n")
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(Served.content)

    def log_message(self, *_: Any) -> None:
        pass


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


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
    checker = TokenVerifier(KeySet(Address(address, development=True), development=False), "bina", "bina")
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


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """An https address that everybody trusts, and where it sends on to: itself unless told otherwise."""
    certificate, key = self_signed(tmp_path)
    targets: list[str] = []

    class Elsewhere(Served):
        def do_GET(self) -> None:
            if not targets:
                return super().do_GET()
            self.send_response(302)
            self.send_header("Location", targets.pop())
            self.end_headers()
            return None

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/jwks", targets
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_come_by_https_alone(certified: tuple[str, list[str]], address: str) -> None:
    """Also where an address sends on to another one; in development http will do."""
    safe, targets = certified
    Served.content = b"{}"
    assert Address(safe, development=False).read() == b"{}"
    targets.append(safe)
    assert Address(safe, development=False).read() == b"{}"
    for other in (address, "ftp://127.0.0.1:1/jwks", "file:///etc/hostname"):
        targets.append(other)
        with pytest.raises(OSError, match=r"unknown url type|not allowed"):
            Address(safe, development=False).read()
    with pytest.raises(OSError, match="unknown url type"):
        Address(address, development=False).read()
    targets.append(address)
    assert Address(safe, development=True).read() == b"{}"


@pytest.mark.parametrize("away", [True, False])
def test_an_address_that_is_away_or_answers_nonsense(
    certified: tuple[str, list[str]], watch: Watch, environment: dict[str, str], issuer: Issuer, *, away: bool
) -> None:
    """The service starts, is not ready, answers 503, and asks again five seconds later."""
    place = "https://127.0.0.1:1/jwks" if away else certified[0].replace("jwks", "nonsense")
    settings = Settings.from_env("sessions", environment | {"BINA_JWKS": place})
    keys.refuse_development_keys(settings)
    checker = TokenVerifier.of(settings)
    assert refusal(checker, issuer.token()) == "unavailable"
    with pytest.raises(NoKeysError):
        checker.ready()


def test_many_requests_at_once_read_the_keys_once(jwks: Path, watch: Watch, issuer: Issuer) -> None:
    """Nobody is refused while the first one reads, however long the machine takes over them."""
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
