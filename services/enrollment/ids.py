"""Ids that enrollment makes itself."""

import uuid

from infra.messaging.envelope import derived_id


def random_id() -> str:
    """A UUID that says nothing of what it stands for."""
    return str(uuid.uuid4())


def need_id(unit: str, competency: str) -> str:
    """Id of what one unit needs of one competency: there is only one."""
    return derived_id("need", unit, competency)
