"""Calls of Docker and of whichever Compose is there."""

import os
import subprocess
from pathlib import Path

COMPOSE = tuple(os.environ.get("COMPOSE", "docker compose").split())


def output(*command: str, stdin: str = "") -> str:
    """What a command prints. Raises CalledProcessError, which holds what it complained of."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return done.stdout


def python_in(service: str, script: Path, *arguments: str) -> str:
    """Runs a script of ours in a service's container, with what that has of settings and secrets."""
    return output(*COMPOSE, "exec", "-T", service, "python", "-", *arguments, stdin=script.read_text())


def python_once(service: str, script: Path, *arguments: str) -> str:
    """The same in a container of its own, of a service that runs on demand."""
    words = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "python", service, "-")
    return output(*COMPOSE, *words, *arguments, stdin=script.read_text())
