"""A real MongoDB and a real broker, one each for the whole run; databases and topics of each test's own."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
from pymongo import MongoClient

from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.ports import SHARE, free_port
from infra.settings import Settings
from tests.backing import Backing, addresses

pytest_plugins = ["tests.summary"]
_backing = pytest.StashKey[Backing]()
# How the process that started everything tells the workers where to look for the addresses.
_STATE = "BINA_TEST_STATE"

# The same examples each time, however long the machine takes over one of them. By hand other ones: `BINA_FUZZ=1`.
hypothesis.settings.register_profile(
    "bina",
    derandomize="BINA_FUZZ" not in os.environ,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("bina")


class SettingsFor(Protocol):
    """Makes settings of one service; those of one test share its topics and nothing with other tests."""

    def __call__(self, service: str, **overrides: Any) -> Settings:
        """overrides: fields of `Settings` that differ."""


class Tokens(Protocol):
    """Issues tokens that the services of this run accept."""

    def __call__(self, sub: str, roles: tuple[str, ...] | list[str] | str, unit: str | None = None) -> str:
        """roles: one or several."""


def pytest_configure(config: pytest.Config) -> None:
    """In the first process only: start what all of them use. They wait for it when they first need it."""
    os.environ[SHARE] = _share_of_ports(config)
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    state = Path(tempfile.mkdtemp(prefix="bina-test-"))
    os.environ[_STATE] = str(state)
    config.stash[_backing] = backing = Backing(state, os.environ)
    # Without what all need, one line is worth more than an error for each test.
    config.pluginmanager.register(EndInTrouble(backing))
    try:
        backing.start()
    except CannotStart as error:
        pytest.exit(str(error))


def _share_of_ports(config: pytest.Config) -> str:
    """The first process has one as well as each worker: all of them start servers at the same time."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return f"0/{(config.getoption('numprocesses', None) or 0) + 1}"
    return f"{int(worker['workerid'].removeprefix('gw')) + 1}/{worker['workercount'] + 1}"


class EndInTrouble:
    """Ends the run, in the process that started everything, once that can't get ready."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing

    def pytest_runtest_logreport(self) -> None:
        """After each phase of a test."""
        if self._backing.trouble:
            pytest.exit(self._backing.trouble)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what `pytest_configure` started; the workers have ended by now."""
    backing = config.stash.get(_backing, None)
    if backing is not None:
        backing.stop()
        shutil.rmtree(os.environ.pop(_STATE), ignore_errors=True)


@pytest.fixture(scope="session")
def run_directory() -> Path:
    """A directory that all processes of this run share."""
    return Path(os.environ[_STATE])


@pytest.fixture(scope="session")
def mongodb_uri(run_directory: Path) -> str:
    """The replica set of this run: from the environment, a container, or the embedded one."""
    return addresses(run_directory)["mongodb_uri"]


@pytest.fixture(scope="session")
def kafka_bootstrap(run_directory: Path) -> str:
    """The broker of this run: from the environment, a container, or the embedded one."""
    return addresses(run_directory)["kafka_bootstrap"]


@pytest.fixture(scope="session")
def broker_profile(run_directory: Path) -> str:
    """`embedded` or `kafka`: which client settings suit the broker of this run."""
    return addresses(run_directory)["broker_profile"]


@pytest.fixture(scope="session")
def development_keys(run_directory: Path) -> DevelopmentKeys:
    """The key that signs this run's tokens."""
    return DevelopmentKeys(run_directory, env={})


@pytest.fixture(scope="session")
def tokens(development_keys: DevelopmentKeys) -> Tokens:
    """`tokens(sub, roles, unit=None) -> str`."""

    def issue(sub: str, roles: tuple[str, ...] | list[str] | str, unit: str | None = None) -> str:
        return development_keys.token(sub, [roles] if isinstance(roles, str) else roles, unit)

    return issue


@pytest.fixture
def settings_for(
    mongodb_uri: str,
    kafka_bootstrap: str,
    broker_profile: str,
    development_keys: DevelopmentKeys,
    tmp_path: Path,
) -> Iterator[SettingsFor]:
    """`settings_for(service, **overrides) -> Settings`: databases and topics of this test alone."""
    unique = uuid.uuid4().hex[:12]
    databases: set[str] = set()

    def make(service: str, **overrides: Any) -> Settings:
        database = f"bina_{service}_{unique}"
        fields = {
            "BINA_ENV": "development",
            "BINA_HOME": str(tmp_path),
            "BINA_MONGODB_URI": mongodb_uri,
            "BINA_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "BINA_BROKER": broker_profile,
            "BINA_JWKS": str(development_keys.jwks),
            "BINA_TOPIC_PREFIX": f"t{unique}.",
            f"BINA_{service.upper()}_DATABASE": database,
            f"BINA_{service.upper()}_PORT": str(free_port()),
            f"BINA_{service.upper()}_WORKER_PORT": str(free_port()),
        }
        databases.add(database)
        return replace(Settings.from_env(service, fields), **overrides)

    yield make
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        for database in databases:
            client.drop_database(database)
