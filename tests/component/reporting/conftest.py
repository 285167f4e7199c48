"""A store of its own for each test, on the real database."""

import pytest
from pymongo.database import Database

from infra.settings import Settings
from infra.storage.mongo import Document, connect
from services.reporting.generations import Generations
from services.reporting.store import Store
from tests.conftest import SettingsFor


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    return settings_for("reporting")


@pytest.fixture
def database(settings: Settings) -> Database[Document]:
    return connect(settings)


@pytest.fixture
def store(database: Database[Document]) -> Store:
    return Generations(database).begin()
