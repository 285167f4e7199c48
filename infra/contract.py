"""The published contract, drawn from the code: `python -m infra.contract write | check`.

OpenAPI of each service's app and AsyncAPI of its events, in `docs/contract/`. They are kept in the repository so
that a change of the contract is seen in review; `check` fails when they no longer say what the code does.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from infra.messaging import asyncapi
from infra.problems import Text
from infra.settings import PORTS, Settings
from infra.web.openapi import document

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "contract"
SERVICES = tuple(PORTS)
# Building an app connects to nothing, so these addresses are never called.
NOWHERE = {
    "BINA_MONGODB_URI": "mongodb://contract.invalid",
    "BINA_KAFKA_BOOTSTRAP": "contract.invalid:9092",
    "BINA_JWKS": "https://contract.invalid/jwks.json",
}


def openapi_of(service: str) -> dict[str, Any]:
    """The OpenAPI document of one service."""
    settings = Settings.from_env(service, NOWHERE)
    return document(import_module(f"services.{service}.app").api(settings))


def asyncapi_of(service: str) -> dict[str, Any]:
    """The AsyncAPI document of one service."""
    title: Text = import_module(f"services.{service}.app").TITLE
    events = import_module(f"services.{service}.events")
    return asyncapi.document(service, title, events.PUBLISHED, events.CONSUMED)


def documents() -> Iterator[tuple[str, bytes]]:
    """File name and content of every document."""
    for service in SERVICES:
        yield f"{service}.openapi.json", _text(openapi_of(service))
        yield f"{service}.asyncapi.json", _text(asyncapi_of(service))


def write() -> int:
    """Writes all documents; gives the exit code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in documents():
        (FOLDER / name).write_bytes(content)
    return 0


def check() -> int:
    """Says which documents differ from the code; gives the exit code."""
    stale = [name for name, content in documents() if not _is(FOLDER / name, content)]
    for name in stale:
        sys.stderr.write(f"docs/contract/{name} does not say what the code does: run `make contract`\n")
    return 1 if stale else 0


def _text(made: dict[str, Any]) -> bytes:
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _is(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def main(arguments: Sequence[str]) -> int:
    """Runs one of the two commands; gives the exit code."""
    commands: dict[tuple[str, ...], Callable[[], int]] = {("write",): write, ("check",): check}
    command = commands.get(tuple(arguments))
    if command is None:
        sys.stderr.write("usage: python -m infra.contract write | check\n")
        return 2
    return command()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
