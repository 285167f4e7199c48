"""`make compose-backup` and `make compose-restore`, with a stand-in for Compose that notes what it is asked."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "infra/deploy/backup"


class Compose:
    """Stands in for `docker compose`; answers of one service can be given."""

    def __init__(self, directory: Path) -> None:
        self._notes = directory / "asked"
        self._notes.touch()
        self.log_is_used = False
        self.fails = ""
        self._program = directory / "compose"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The script with these arguments."""
        used = "echo used" if self.log_is_used else ":"
        self._program.write_text(
            f'#!/bin/sh\necho "$@" >>{self._notes}\n'
            f'case "$*" in *bash\\ kafka*) {used};; *\\ {self.fails or "nothing"}\\ *) exit 1;; esac\n'
        )
        self._program.chmod(0o755)
        env = {"PATH": "/usr/bin:/bin", "COMPOSE": str(self._program)}
        return subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False)

    @property
    def services(self) -> list[str]:
        """What was run, in order."""
        known = ("kafka", "mongodb-setup", "backup", "restore")
        asked = [line.split() for line in self._notes.read_text().splitlines()]
        return [next(word for word in words if word in known) for words in asked]


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """One that has done nothing yet."""
    return Compose(tmp_path)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A directory that looks like a backup."""
    directory = tmp_path / "saved"
    directory.mkdir()
    (directory / "manifest.json").write_text("{}")
    return directory


def test_a_backup_goes_to_a_directory_that_only_its_owner_can_read(compose: Compose, tmp_path: Path) -> None:
    """It is made when it is missing."""
    done = compose.run("save", str(tmp_path / "backups/today"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "backups/today").stat().st_mode & 0o777 == 0o700
    assert compose.services == ["backup"]


def test_a_backup_is_never_mixed_with_another(compose: Compose, saved: Path) -> None:
    """Files of two days in one directory would be neither day's."""
    done = compose.run("save", str(saved))
    assert (done.returncode, compose.services) == (1, [])
    assert "not empty" in done.stderr


def test_a_restore_first_sees_that_the_log_is_empty_then_makes_the_users(compose: Compose, saved: Path) -> None:
    """A log that is newer than the databases would tell of what is no longer there."""
    assert compose.run("load", str(saved)).returncode == 0
    assert compose.services == ["kafka", "mongodb-setup", "restore"]


def test_nothing_is_restored_beside_a_log_that_was_used(compose: Compose, saved: Path) -> None:
    """The message says what to remove, and nothing is removed by itself."""
    compose.log_is_used = True
    done = compose.run("load", str(saved))
    assert (done.returncode, compose.services) == (1, ["kafka"])
    assert "down --volumes" in done.stderr


@pytest.mark.parametrize(("command", "service"), [("save", "backup"), ("load", "restore")])
def test_what_fails_is_said_and_seen_by_whoever_calls_it(
    compose: Compose, saved: Path, command: str, service: str
) -> None:
    """A backup every night that fails silently is none."""
    compose.fails = service
    if command == "save":
        (saved / "manifest.json").unlink()
    done = compose.run(command, str(saved))
    assert done.returncode == 1
    assert "is saved" in done.stderr or "not restored" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("save",), ("save", ""), ("drop", "x"), ("load", "/nowhere")])
def test_it_does_nothing_unless_it_is_said_what_and_where(compose: Compose, arguments: tuple[str, ...]) -> None:
    """A reason, and no container."""
    done = compose.run(*arguments)
    assert (done.returncode, compose.services) == (1, [])
    assert done.stderr
