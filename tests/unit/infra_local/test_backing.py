"""A test run that lacks what all tests need ends with one line, not with an error for each test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# It calls itself new enough, prepares everything, and can't run Kafka. The other one fetches an empty directory.
JAVA = """#!/bin/sh
case "$*" in
    -version) echo 'openjdk version "21"' >&2 ;;
    *StorageTool*) ;;
    *) echo "no memory"; exit 1 ;;
esac
"""
MAVEN = """#!/bin/sh
for word; do
    case "$word" in -DoutputDirectory=*) /bin/mkdir "${word#*=}" ;; esac
done
"""
# What a run is told in its environment, and what it tells its own processes.
CHOICES = ("BINA_", "PYTEST_", "BROKER", "CONTAINERS")
# Each of them would be an error.
TESTS = "tests/component/infra/test_aggregates.py"


def run(processes: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The tests in as many processes, with nothing of this run's own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(CHOICES)}
    env = {**ours, "BINA_MONGODB_URI": "mongodb://nowhere", **environment}
    command = [sys.executable, "-m", "pytest", "-n", processes, "-p", "no:cacheprovider", TESTS]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BROKER": "kafka", "PATH": ""}, "BROKER=kafka needs Java 17"),
        ({"CONTAINERS": "1", "DOCKER_HOST": "tcp://127.0.0.1:1"}, "CONTAINERS=1 needs a Docker engine that runs"),
    ],
)
def test_what_is_missing_is_said_and_no_test_is_tried(
    processes: str, environment: dict[str, str], said: str
) -> None:
    """Java, or a Docker engine; in one process and in several."""
    done = run(processes, **environment)
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert done.stderr.startswith(f"Exit: {said}")
    assert done.stdout == ""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_what_fails_while_it_gets_ready_ends_the_run_after_the_first_test(processes: str, tmp_path: Path) -> None:
    """Each process tries one test at most; the last lines of what failed are shown."""
    for name, script in (("java", JAVA), ("mvn", MAVEN)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    done = run(processes, BROKER="kafka", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "! _pytest.outcomes.Exit: Apache Kafka did not start" in done.stdout
    assert "no memory" in done.stdout
    assert done.stdout.count("ERROR at setup") <= int(processes) + 1
