"""The demo finds its way into a system that runs elsewhere, and leaves one alone that is in use."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest

from demo.elsewhere import Elsewhere
from infra.local.errors import CannotStart
from infra.local.ports import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make secrets` makes."""
    directory = tmp_path_factory.mktemp("secrets")
    script = ROOT / "infra/deploy/make-secrets"
    subprocess.run([script], env={"PATH": "/usr/bin:/bin", "BINA_SECRETS": str(directory)}, check=True)
    return directory


@pytest.fixture(params=[[], [{"code": "36.71"}]])
def gateway(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    """Address of a gateway whose enrollment has these units, and whether there are none."""
    units = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            good = self.path == "/enrollment/v1/units" and self.headers["Authorization"].startswith("Bearer ey")
            self.send_response(200 if good else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"items": units, "next": None}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", not units
    server.shutdown()
    server.server_close()


def test_only_an_empty_system_is_played_on(gateway: tuple[str, bool], secrets: Path) -> None:
    """The story would be told into somebody's real records."""
    address, empty = gateway
    if empty:
        with Elsewhere(address, secrets) as system:
            assert system.urls["reporting"] == f"{address}reporting"
    else:
        with pytest.raises(CannotStart, match="already"), Elsewhere(address, secrets):
            pass


def test_tokens_are_signed_with_the_key_of_the_secrets(secrets: Path) -> None:
    """By the name under which the services know it."""
    token = Elsewhere("http://localhost", secrets).issue_token("dina", ["officer"], "36.71")
    key = jwt.PyJWK(json.loads((secrets / "jwks.json").read_text())["keys"][0])
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="bina", issuer="bina")
    assert (claims["sub"], claims["roles"], claims["unit"]) == ("dina", ["officer"], "36.71")
    assert jwt.get_unverified_header(token)["kid"] == key.key_id


def test_what_is_missing_is_said(secrets: Path, tmp_path: Path) -> None:
    """No key, no system: a message instead of a traceback."""
    with pytest.raises(CannotStart, match="make secrets"):
        Elsewhere("http://localhost", tmp_path)
    with pytest.raises(CannotStart, match="answers"), Elsewhere(f"http://127.0.0.1:{free_port()}", secrets):
        pass
