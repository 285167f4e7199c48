"""Where the parts of the running copy are, for commands that are given beside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from infra.local.errors import CannotStart

ENVIRONMENT = "environment"
"""File below the home that tells where the parts of the running copy are; it is there as long as they are."""


def running_environment(home: Path) -> dict[str, str]:
    """The settings with which the services of this home run now. Raises CannotStart when none do."""
    try:
        lines = (home / ENVIRONMENT).read_text().splitlines()
    except FileNotFoundError:
        raise CannotStart(f"Nothing runs on {home}: start it with `make up` or `make demo`.") from None
    return {**os.environ, **dict(line.split("=", 1) for line in lines)}


def write_environment(home: Path, environment: Mapping[str, str]) -> Path:
    """Tells other commands of this user where the parts are; gives the file, to be removed at the end."""
    path = home / ENVIRONMENT
    ours = {name: value for name, value in environment.items() if name.startswith("BINA_")}
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in sorted(ours.items())))
    return path
