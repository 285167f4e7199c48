"""What `make secrets` and `make compose-token` make, by openssl alone, is what the services accept."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from infra.problems import Refused
from infra.settings import Settings
from infra.web.tokens import TokenVerifier

ROOT = Path(__file__).parents[3]


def run(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """One of the scripts, in an environment of the test's own."""
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [ROOT / "infra/deploy" / script], env=path | env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A directory that the script has filled."""
    directory = tmp_path / "secrets"
    done = run("make-secrets", BINA_SECRETS=str(directory))
    assert done.returncode == 0, done.stderr
    return directory


def settings_of(secrets: Path) -> Settings:
    """As a container in production has them."""
    env = {
        "BINA_ENV": "production",
        "BINA_MONGODB_URI_FILE": str(secrets / "mongodb-uri-sessions"),
        "BINA_KAFKA_BOOTSTRAP": "kafka:9092",
        "BINA_JWKS": str(secrets / "jwks.json"),
    }
    return Settings.from_env("sessions", env)


def test_nobody_else_on_the_host_gets_at_them(secrets: Path) -> None:
    """The directory is shut; the files are open to the containers' users, but for the signing key."""
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()}
    assert modes.pop("signing-key.pem") == 0o400
    assert set(modes.values()) == {0o444}


def test_they_are_made_once(secrets: Path) -> None:
    """A second run must not lock the system out of its own database."""
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert run("make-secrets", BINA_SECRETS=str(secrets)).returncode == 0
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before


def test_what_a_new_version_needs_is_added(secrets: Path) -> None:
    """A directory of before has all of it after another run, and what was there is as it was."""
    (secrets / "mongodb-uri-backup").unlink()
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert run("make-secrets", BINA_SECRETS=str(secrets)).returncode == 0
    after = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert before.items() < after.items()
    assert after.keys() - before.keys() == {"mongodb-uri-backup"}


def test_every_user_of_the_database_has_a_password_of_its_own(secrets: Path) -> None:
    """Each service, the backup and who brings it back: else one that leaks would open the databases of all."""
    uris = [path.read_text() for path in secrets.glob("mongodb-uri-*")]
    passwords = {uri.split(":")[2].split("@")[0] for uri in uris}
    assert len(passwords) == len(uris) == 6
    assert all(len(password) == 48 for password in passwords)


def test_tokens_are_what_production_accepts(secrets: Path) -> None:
    """Signed with a key that is not a development key, checked by the verifier that the services use."""
    made = run("make-token", BINA_SECRETS=str(secrets), ROLES="hr, employee", SUB="dina", UNIT="36.71")
    actor = TokenVerifier.of(settings_of(secrets)).verify(made.stdout.strip())
    assert (actor.sub, actor.roles, actor.unit) == ("dina", frozenset({"hr", "employee"}), "36.71")


def test_the_key_of_another_copy_opens_nothing(secrets: Path, tmp_path: Path) -> None:
    """Nothing that is secret comes with the repository."""
    other = tmp_path / "other"
    run("make-secrets", BINA_SECRETS=str(other))
    token = run("make-token", BINA_SECRETS=str(other), ROLES="hr", SUB="dina").stdout.strip()
    with pytest.raises(Refused):
        TokenVerifier.of(settings_of(secrets)).verify(token)


@pytest.mark.parametrize(
    "faulty",
    [{"ROLES": "hr"}, {"SUB": "dina"}, {"ROLES": "hr", "SUB": 'x","roles":["admin"],"y":"'}, {"HOURS": "1;id"}],
)
def test_a_token_is_not_made_of_anything(secrets: Path, faulty: dict[str, str]) -> None:
    """No token, exit 1 and a reason when it is not said whose it is, or when a value would break out."""
    complete = {"ROLES": "hr", "SUB": "dina"} if "HOURS" in faulty else {}
    made = run("make-token", BINA_SECRETS=str(secrets), **complete, **faulty)
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr
