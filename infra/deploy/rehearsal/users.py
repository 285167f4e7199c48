"""Whether each user of MongoDB reaches what it needs and nothing else, tried from the containers themselves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.deploy.rehearsal import NotSo
from infra.deploy.rehearsal.compose import python_in, python_once
from infra.settings import PORTS

SCRIPT = Path(__file__).with_name("tries.py")
ALLOWED, REFUSED = 0, 13
DATABASES = tuple(f"bina_{service}" for service in PORTS)
Answers = Mapping[str, Sequence[int]]


def expected(user: str) -> Answers:
    """What this user is to be answered, reading and writing, in each database."""
    own = {"backup": DATABASES, "restore": DATABASES}.get(user, (f"bina_{user}",))
    rights = [ALLOWED, REFUSED if user == "backup" else ALLOWED]
    return {name: rights if name in own else [REFUSED, REFUSED] for name in (*DATABASES, "admin")}


def held(told: Mapping[str, Answers]) -> str:
    """What holds of the answers of all users. Raises NotSo with those that are not as they should be."""
    faults = [
        f"{user} in {database}: {told[user].get(database)} instead of {codes}"
        for user in told
        for database, codes in expected(user).items()
        if told[user].get(database) != codes
    ]
    if faults:
        raise NotSo("; ".join(faults))
    refusals = sum(code == REFUSED for answers in told.values() for codes in answers.values() for code in codes)
    return (
        f"Users of MongoDB: each service's reaches its own database alone, backup only reads; {refusals} tries of "
        f"{len(told)} users at others' databases were refused (code {REFUSED})"
    )


def users() -> str:
    """Asks all six."""
    told = {service: json.loads(python_in(f"{service}-worker", SCRIPT, service)) for service in PORTS}
    told |= {user: json.loads(python_once(user, SCRIPT, user)) for user in ("backup", "restore")}
    return held(told)
