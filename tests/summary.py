"""The end of a test run: how many tests of each kind, how long they took, which ones were the slowest."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest
from _pytest.terminal import TerminalReporter

_SLOWEST = 5


@dataclass
class Kind:
    """The tests of one folder under tests/. seconds: all phases, added up over all processes."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0


def kind_of(nodeid: str) -> str:
    """`unit` for tests/unit/enrollment/test_batch.py::test_it."""
    parts = PurePosixPath(nodeid.split("::", 1)[0]).parts
    return parts[1] if len(parts) > 2 else parts[-1]


def count(reports: list[pytest.TestReport]) -> tuple[dict[str, Kind], dict[str, float]]:
    """Kinds by name, and seconds by test, from the reports of all phases."""
    kinds: defaultdict[str, Kind] = defaultdict(Kind)
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        kind = kinds[kind_of(report.nodeid)]
        kind.seconds += report.duration
        seconds[report.nodeid] += report.duration
        if report.failed:
            kind.failed += 1
        elif report.skipped:
            kind.skipped += 1
        elif report.when == "call":
            kind.passed += 1
    return dict(kinds), dict(seconds)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Write the table under everything else."""
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport)
    ]
    if not reports:
        return
    kinds, seconds = count(reports)
    write = terminalreporter.write_line
    terminalreporter.section("what was tested")
    write(f"{'kind':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>10}")
    for name, kind in sorted(kinds.items()):
        row = f"{name:<14}{kind.passed:>8}{kind.failed or '-':>8}{kind.skipped or '-':>9}{kind.seconds:>10.1f}"
        write(row, red=kind.failed > 0, green=kind.failed == 0)
    write("slowest:")
    for nodeid, duration in sorted(seconds.items(), key=lambda item: -item[1])[:_SLOWEST]:
        write(f"{duration:>8.2f} s  {nodeid}")
