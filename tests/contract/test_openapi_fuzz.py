"""Every service as schemathesis finds it: a real server over a filled database, called by its OpenAPI document.

All checks in all phases, the same cases each time. By hand with more examples, other ones and more callers:
`BINA_FUZZ=100 BINA_FUZZ_SEED=7 pytest tests/contract/test_openapi_fuzz.py`.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.ports import free_port
from infra.settings import Settings
from tests.conftest import SettingsFor, Tokens
from tests.contract.filled import Filled, fill
from tests.processes import is_ready, process_of
from tests.support import PATIENCE_SECONDS, eventually, running

EXAMPLES = os.environ.get("BINA_FUZZ", "3")
SEED = os.environ.get("BINA_FUZZ_SEED")
REPOSITORY = Path(__file__).parents[2]
OURS = "positive_data_acceptance,negative_data_rejection"


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The service's API as it is run for real; gives its address."""
    with running(process_of(settings, "api")):
        eventually(lambda: is_ready(settings.port))
        yield f"http://127.0.0.1:{settings.port}"


def bearer(filled: Filled, tokens: Tokens, who: str) -> str:
    """A token: of the employee who has this part in the records, or of somebody else with this role."""
    people = filled.records().people
    if who in people:
        return tokens(people[who], "employee")
    return tokens(str(uuid.uuid4()), who, filled.here if who in ("officer", "leader") else None)


CALLERS = [
    ("enrollment", "hr"),
    ("sessions", "guide"),
    ("notifications", "learner"),
    ("notifications", "hr"),
    ("reporting", "hr"),
]
BY_HAND = [
    ("sessions", "hr"),
    ("enrollment", "officer"),
    ("enrollment", "auditor"),
    ("enrollment", "learner"),
    ("sessions", "learner"),
    ("sessions", "supervisor"),
    ("sessions", "auditor"),
    ("notifications", "admin"),
    ("reporting", "leader"),
    ("reporting", "kpi_reader"),
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("service", "who"), [*CALLERS, *(BY_HAND if "BINA_FUZZ" in os.environ else ())])
def test_nothing_is_found(service: str, who: str, settings_for: SettingsFor, tokens: Tokens) -> None:
    """No answer of the server's fault, none that the document doesn't know, nothing good refused or bad taken."""
    settings = settings_for(service, port=free_port())
    with fill(settings, tokens) as filled, serving(settings) as address:
        token = bearer(filled, tokens, who)
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *(
                "run",
                f"{address}/openapi.json",
                "--header",
                f"Authorization: Bearer {token}",
            ),
            *("--checks", "all", "--exclude-checks", OURS, "--max-examples", EXAMPLES),
            *(("--seed", SEED, "--generation-database", "none") if SEED else ("--generation-deterministic",)),
            *("--no-color", "--warnings", "off", "--request-timeout", str(PATIENCE_SECONDS)),
            *("--suppress-health-check", "all", "--continue-on-failure", "--output-truncate", "false"),
        ]
        env = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.contract.fuzz_checks", "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, env=env, cwd=settings.home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    print(done.stdout[-400:])
