from collections.abc import Callable
from typing import Any

import pytest

from tests.component.sessions.world import Trio, World


@pytest.fixture
def world(settings_for: Callable[..., Any], tokens: Any) -> World:
    """A fresh sessions service."""
    return World(settings_for("sessions"), tokens)


@pytest.fixture
def pair(world: World) -> Trio:
    """A guide, a learner and their active pairing."""
    guide, learner = world.employee(), world.employee()
    return guide, learner, world.pairing(guide, learner)
