from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from infra.local.keys import DevelopmentKeys
from infra.settings import Settings
from tests.component.sessions.world import Trio, World
from tests.conftest import SettingsFor, Tokens


@pytest.fixture
def own_world(settings_for: SettingsFor, tokens: Tokens) -> World:
    """A sessions service that no other test has used."""
    return World(settings_for("sessions"), tokens)


@pytest.fixture(scope="module")
def shared_world(mongodb_uri: str, development_keys: DevelopmentKeys, tokens: Tokens) -> Iterator[World]:
    """One for a whole module: indexes and routes take longer to make than most tests to run."""
    settings = Settings.from_env(
        "sessions",
        {
            "BINA_ENV": "development",
            "BINA_MONGODB_URI": mongodb_uri,
            "BINA_KAFKA_BOOTSTRAP": "nowhere:9092",
            "BINA_JWKS": str(development_keys.jwks),
        },
    )
    world = World(replace(settings, database=f"bina_sessions_{uuid4().hex[:12]}"), tokens)
    yield world
    world.store.database.client.drop_database(world.store.database.name)


@pytest.fixture
def world(shared_world: World) -> World:
    """A sessions service with what other tests of the module left in it; use new people."""
    shared_world.reset()
    return shared_world


@pytest.fixture
def pair(world: World) -> Trio:
    """A guide, a learner and their active pairing."""
    guide, learner = world.employee(), world.employee()
    return guide, learner, world.pairing(guide, learner)
