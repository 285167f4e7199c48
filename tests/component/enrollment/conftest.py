"""Enrollment as its callers meet it: the API over a real database, with a clock that the test sets."""

from datetime import UTC, datetime

import pytest

from infra.settings import Settings
from infra.storage.mongo import connect
from services.enrollment import app
from services.enrollment.context import Context
from services.enrollment.domain.pairings import Limits
from services.enrollment.store import Store
from tests.component.enrollment.programme import Programme, TestClock
from tests.conftest import SettingsFor, Tokens


@pytest.fixture
def clock() -> TestClock:
    """24 November 2026, nine o'clock in Tangerang; it stands still unless the test moves it."""
    return TestClock(datetime(2026, 11, 24, 2, tzinfo=UTC))


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    """A database of this test's own."""
    return settings_for("enrollment")


@pytest.fixture
def programme(settings: Settings, clock: TestClock, tokens: Tokens) -> Programme:
    """The API, as any role may call it."""
    made = app.api(settings, clock)
    context = Context(Store(connect(settings)), clock, Limits())
    context.store.ensure_indexes()
    return Programme(made, context, tokens)


@pytest.fixture
def city(programme: Programme) -> Programme:
    """The small city."""
    programme.city()
    return programme
