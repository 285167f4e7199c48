from collections.abc import Callable
from typing import Any

import pytest

from tests.component.sessions.world import World


@pytest.fixture
def world(settings_for: Callable[..., Any], tokens: Any) -> World:
    """A fresh sessions service."""
    return World(settings_for("sessions"), tokens)
