"""Ratios, spreads and goals of figures, and how runs are kept."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bench.outcome import Goal, Result, Spread, alternate, percentile
from bench.report import Run, keep, markdown
from bench.scale import QUICK


def result(figure: str, ours: list[float], floor: list[float], goal: Goal | None = None) -> Result:
    return Result(figure=figure, about="a over b", unit="x/s", ours=ours, floor=floor, goal=goal)


def run(*results: Result) -> Run:
    at = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    return Run(at=at, broker="embedded", machine="2 cores", scale=QUICK, results=results)


def test_each_reading_is_divided_by_the_one_beside_it() -> None:
    """The machine may change between repeats; a ratio never mixes two of them."""
    assert result("1", [8, 50, 9], [10, 100, 10]).ratio == Spread(0.5, 0.8, 0.9)


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal("at least", 0.8), True), (Goal("at least", 0.81), False), (Goal("at most", 0.8), True), (None, None)],
)
def test_a_goal_is_judged_by_the_median(goal: Goal | None, met: bool | None) -> None:
    assert result("1", [8, 50, 9], [10, 100, 10], goal).met is met


def test_sides_are_read_in_turn() -> None:
    order: list[str] = []

    def side(name: str, value: float) -> float:
        order.append(name)
        return value

    found = alternate(2, lambda n: side("a", n), lambda n: side("b", 10 + n))
    assert found == [[0, 1], [10, 11]]
    assert order == ["a", "b", "a", "b"]


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_a_later_run_of_the_day_replaces_only_what_it_measured(tmp_path: Path) -> None:
    keep(run(result("1", [1], [2]), result("2", [1], [4])), tmp_path)
    path = keep(run(result("2", [3], [4])), tmp_path)
    kept = msgspec.json.decode(path.read_bytes())
    assert [(one["figure"], one["ratio"]["median"]) for one in kept["results"]] == [("1", 0.5), ("2", 0.75)]


def test_the_table_names_goal_and_verdict() -> None:
    table = markdown(run(result("1", [900], [1000], Goal("at least", 0.8))))
    assert "| 1 | a over b | 900 | 1,000 | x/s | 0.90 | 0.90 | 0.90 | >= 0.8 | met |" in table
