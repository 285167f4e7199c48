"""Development keys belong to one home, and their tokens are what the services expect."""

import json
import stat
from pathlib import Path

import jwt

from infra.local.keys import DevelopmentKeys


def decode(token: str, keys: DevelopmentKeys, audience: str = "bina", issuer: str = "bina") -> dict[str, object]:
    """The claims, checked against the public key as a service would do it."""
    public = jwt.PyJWKSet.from_dict(json.loads(keys.jwks.read_text()))[keys.kid]
    claims: dict[str, object] = jwt.decode(token, public, ["EdDSA"], audience=audience, issuer=issuer)
    return claims


def test_a_token_says_who_and_for_how_long(tmp_path: Path) -> None:
    keys = DevelopmentKeys(tmp_path, env={})
    claims = decode(keys.token("someone", ["hr", "employee", "hr"], "3674.01"), keys)
    assert (claims["sub"], claims["roles"], claims["unit"]) == ("someone", ["employee", "hr"], "3674.01")
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 12 * 3600


def test_a_unit_is_left_out_unless_given(tmp_path: Path) -> None:
    keys = DevelopmentKeys(tmp_path, env={})
    assert "unit" not in decode(keys.token("someone", ["hr"]), keys)


def test_issuer_and_audience_come_from_the_environment(tmp_path: Path) -> None:
    keys = DevelopmentKeys(tmp_path, env={"BINA_JWT_ISSUER": "city", "BINA_JWT_AUDIENCE": "people"})
    assert decode(keys.token("someone", ["hr"]), keys, audience="people", issuer="city")["iss"] == "city"


def test_a_home_keeps_its_key_and_another_has_another(tmp_path: Path) -> None:
    first = DevelopmentKeys(tmp_path / "one", env={})
    assert DevelopmentKeys(tmp_path / "one", env={}).kid == first.kid
    assert DevelopmentKeys(tmp_path / "two", env={}).kid != first.kid
    assert first.kid.startswith("development-")


def test_the_private_key_is_for_its_owner_and_not_in_the_public_file(tmp_path: Path) -> None:
    keys = DevelopmentKeys(tmp_path, env={})
    private = tmp_path / "keys" / "private.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert json.loads(private.read_text())["d"] not in keys.jwks.read_text()
