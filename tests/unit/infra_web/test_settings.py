"""Settings: everything from the environment, all faults at once, no development key elsewhere."""

from pathlib import Path

import pytest

from infra.settings import Settings, SettingsError
from infra.web.keys import refuse_development_keys
from tests.unit.infra_web.conftest import Issuer, write_keys


def test_all_faults_are_told_at_once() -> None:
    """Whoever sets a service up sees the whole list, not one fault a try."""
    bad = {
        "BINA_MONGODB_URI": "localhost",
        "BINA_SESSIONS_PROCESSES": "many",
        "BINA_BROKER": "carrier",
        "BINA_SESSIONS_PORT": "70000",
    }
    with pytest.raises(SettingsError) as refused:
        Settings.from_env("sessions", bad)
    told = str(refused.value)
    for name in ("MONGODB_URI", "KAFKA_BOOTSTRAP", "JWKS", "SESSIONS_PROCESSES", "BROKER", "SESSIONS_PORT"):
        assert f"BINA_{name}" in told


def test_defaults_are_those_of_one_machine(environment: dict[str, str]) -> None:
    """Ports, database and claims as the contract has them, none of them secret."""
    settings = Settings.from_env("reporting", environment)
    assert (settings.port, settings.worker_port) == (8004, 9004)
    assert settings.database == "bina_reporting"
    assert (settings.jwt_issuer, settings.jwt_audience) == ("bina", "bina")
    assert settings.home == Path(".bina")
    assert (settings.processes, Settings.from_env("sessions", environment).processes) == (1, 2)
    assert settings.smtp_url is None
    assert not settings.development


def test_a_password_in_an_address_is_not_repeated(environment: dict[str, str]) -> None:
    """Start-up messages end in logs."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_env("sessions", {**environment, "BINA_SMTP_URL": "bina:hunter2@mail"})
    assert "hunter2" not in str(refused.value)


def test_a_development_key_opens_only_a_development_system(jwks: Path, environment: dict[str, str]) -> None:
    """Anybody can have that key: elsewhere the service does not start."""
    write_keys(jwks, Issuer("development-1").jwk())
    assert Settings.from_env("sessions", {**environment, "BINA_ENV": "development"}).development
    with pytest.raises(SettingsError, match="development key"):
        Settings.from_env("sessions", environment)


def test_a_development_key_at_an_address_is_refused_at_the_start(jwks: Path, environment: dict[str, str]) -> None:
    """The same for keys that appear between reading the settings and serving."""
    settings = Settings.from_env("sessions", environment)
    refuse_development_keys(settings)
    write_keys(jwks, Issuer("development").jwk())
    with pytest.raises(SettingsError, match="development key"):
        refuse_development_keys(settings)


@pytest.mark.parametrize("content", ["", "[]", '{"keys": 3}', '{"keys": ["x"]}'])
def test_a_key_file_must_be_one(content: str, jwks: Path, environment: dict[str, str]) -> None:
    """A wrong mount is noticed before the first request."""
    jwks.write_text(content)
    with pytest.raises(SettingsError, match="set of keys"):
        Settings.from_env("sessions", environment)


def test_keys_travel_over_https_only(environment: dict[str, str]) -> None:
    """Who can change the keys under way can sign anything."""
    with pytest.raises(SettingsError, match="https"):
        Settings.from_env("sessions", {**environment, "BINA_JWKS": "http://keys.example"})


def test_a_secret_may_stand_in_a_file(tmp_path: Path, environment: dict[str, str]) -> None:
    """Containers get passwords as files: what is in the environment is shown by every inspection."""
    secret = tmp_path / "uri"
    secret.write_text("mongodb://user:hunter2@mongodb:27017/\n")
    del environment["BINA_MONGODB_URI"]
    settings = Settings.from_env("sessions", {**environment, "BINA_MONGODB_URI_FILE": str(secret)})
    assert settings.mongodb_uri == "mongodb://user:hunter2@mongodb:27017/"


def test_a_secret_given_twice_or_in_no_file_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    """It would be unclear which one counts, and a missing file must not look like a setting left out."""
    (tmp_path / "issuer").write_text("city")
    both = {"BINA_JWT_ISSUER": "bina", "BINA_JWT_ISSUER_FILE": str(tmp_path / "issuer")}
    with pytest.raises(SettingsError) as refused:
        Settings.from_env("sessions", {**environment, **both, "BINA_SMTP_URL_FILE": str(tmp_path / "nowhere")})
    assert refused.value.faults[0] == "BINA_SMTP_URL_FILE: " + str(tmp_path / "nowhere") + (
        " can't be read (FileNotFoundError)"
    )
    assert "BINA_JWT_ISSUER and BINA_JWT_ISSUER_FILE are both set" in refused.value.faults
