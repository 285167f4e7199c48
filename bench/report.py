"""Figures as a table for people, and as JSON and Markdown to be kept."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.outcome import Result
from bench.scale import Scale

HEADINGS = ("Figure", "What over what", "Ours", "Floor", "Unit", "Min", "Median", "Max", "Goal", "")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run, and the machine that it ran on."""

    at: datetime
    broker: str
    machine: str
    scale: Scale
    results: Sequence[Result]


def machine() -> str:
    """Cores, processor, Python."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} cores ({', '.join(sorted(set(names)))}), Python {platform.python_version()}"


def commit() -> str:
    """Which one is checked out, and whether there is more than that."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],  # noqa: S607 - where it lies is the machine's matter
        capture_output=True,
        text=True,
        check=False,
    )
    return f"commit {described.stdout.strip() or 'unknown'}"


def rows(results: Iterable[Result]) -> list[tuple[str, ...]]:
    """The table's cells, in the order of `HEADINGS`."""
    return [_row(result) for result in results]


def _row(result: Result) -> tuple[str, ...]:
    ours, floor = (_number(sorted(values)[len(values) // 2]) for values in (result.ours, result.floor))
    ratio = result.ratio
    verdict = {True: "met", False: "missed", None: ""}[result.met]
    spread = (f"{ratio.min:.2f}", f"{ratio.median:.2f}", f"{ratio.max:.2f}")
    goal = str(result.goal) if result.goal else ""
    return (result.figure, result.about, ours, floor, result.unit, *spread, goal, verdict)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def show(console: Console, run: Run) -> None:
    """Prints the table, and below it what else was seen."""
    table = Table(title=f"Figures on the {run.broker} broker, {run.machine}", expand=True)
    for heading in HEADINGS:
        right = heading in ("Ours", "Floor", "Min", "Median", "Max", "Goal")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in rows(run.results):
        colour = {"met": "green", "missed": "red"}.get(row[-1], "")
        table.add_row(*row[:-1], f"[{colour}]{row[-1]}[/]" if colour else row[-1])
    console.print(table)
    for result in run.results:
        for line in _details(result):
            console.print(f"  [bold]{result.figure}[/] {line}", highlight=False)


def _details(result: Result) -> list[str]:
    lines = []
    if result.at:
        lines = [f"measured at {result.at:%H:%M} UTC, load of the machine {result.load:.1f}, {result.of}"]
    lines += [f"{name}: {_told(value)}" for name, value in result.notes.items()]
    return lines + [f"{name}: {_told(shares)}" for name, shares in result.limits.items()]


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(inner)}" for name, inner in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def keep(run: Run, directory: Path) -> Path:
    """Writes JSON and Markdown, in place of the same figures of that day and broker; the path of the JSON."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{run.at:%Y-%m-%d}-{run.broker}.json"
    if path.exists():
        run = merged(msgspec.json.decode(path.read_bytes(), type=Run), run)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(_with_ratios(run)), indent=1) + b"\n")
    path.with_suffix(".md").write_text(markdown(run))
    return path


def merged(before: Run, run: Run) -> Run:
    """The run with those figures of the one before that it did not measure; each result says when it was."""
    results = {result.figure: result for result in (*before.results, *run.results)}
    return msgspec.structs.replace(run, results=sorted(results.values(), key=lambda result: result.figure))


def _with_ratios(run: Run) -> dict[str, object]:
    document: dict[str, object] = msgspec.to_builtins(run)
    document["results"] = [
        {**msgspec.to_builtins(result), "ratio": msgspec.to_builtins(result.ratio), "met": result.met}
        for result in run.results
    ]
    return document


def markdown(run: Run) -> str:
    """The table and the details."""
    lines = [
        f"# Figures of {run.at:%Y-%m-%d %H:%M} UTC on the {run.broker} broker",
        "",
        f"{run.machine}; {run.scale.repeats} repeats in turn (A B A B). Ratio: ours over the floor.",
        "Written by `make bench`; what is measured, and why it is fair, is told in `bench/figures/*.py`.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * len(HEADINGS),
        *("| " + " | ".join(row) + " |" for row in rows(run.results)),
        "",
        "## What else was seen",
        *(f"- **{result.figure}** {line}" for result in run.results for line in _details(result)),
    ]
    return "\n".join(lines) + "\n"
