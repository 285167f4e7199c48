"""Runs inside of a container: what its user of MongoDB is answered in every database. Argument: the service.

Prints `{"bina_sessions": [reading, writing], ...}`, each 0 or the code of the refusal. Nothing is changed.
"""

import json
import sys
from collections.abc import Callable

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from infra.settings import PORTS, Settings


def code(attempt: Callable[[dict[str, str]], object]) -> int:
    """0 when it was allowed."""
    try:
        attempt({"_id": "nobody"})
    except OperationFailure as refused:
        return refused.code or -1
    return 0


def main(service: str) -> None:
    """Tries to read, and to remove what is not there."""
    client: MongoClient[dict[str, object]] = MongoClient(Settings.from_env(service).mongodb_uri)
    answers = {}
    for name in (*(f"bina_{each}" for each in PORTS), "admin"):
        some = client[name]["relay"]
        answers[name] = [code(some.find_one), code(some.delete_one)]
    print(json.dumps(answers))  # noqa: T201 - its answer


main(sys.argv[1])
