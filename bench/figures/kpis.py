"""Figure 6: how long `GET /kpis` takes with 1,000,000 facts stored, over 10,000.

Measured: the 99th percentile of answers to one caller, for the city and for one unit with all below it, by
reporting's API as it is run, a year's figures with all their parts. Over the very same with a hundredth of the
facts, on the same MongoDB in the same run: what grows with the facts would show.
"""

from collections.abc import Callable

from bench.cast import request
from bench.client import Plan
from bench.figures.projection import filled
from bench.load import load
from bench.outcome import Goal, Result, alternate, percentile
from bench.stage import Stage
from bench.watch import profiled
from services.reporting.documents import SHAPE
from services.reporting.generations import Generations

GOAL = Goal("at most", 1.2)
FEW, MANY = "few", "filled"
PERIOD = 2025
PLACES = {"the city": "", "a district": "&unit=36.71.01"}


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    few, many = _server(stage, FEW, stage.scale.few), _server(stage, MANY, stage.scale.many)
    token = stage.keys.token("kpi-bench", ["hr"])
    limits = {}
    if stage.scale.profiles:
        reader = _reader(stage, many, request("GET", f"/v1/kpis?period={PERIOD}&limit=200", token))
        seen = profiled(stage.processes[f"{MANY} ours"], lambda: reader(0))
        limits["profile of the API"] = seen
    results = []
    for place, unit in PLACES.items():
        asked = request("GET", f"/v1/kpis?period={PERIOD}{unit}&limit=200", token)
        slow, quick = alternate(stage.scale.repeats, _reader(stage, many, asked), _reader(stage, few, asked))
        results.append(_result(stage, place, slow, quick, limits))
    stage.stop(f"{FEW} ours", f"{MANY} ours")
    stage.drop(FEW)
    return results


def _server(stage: Stage, space: str, facts: int) -> int:
    store = filled(stage, space, facts)
    env = stage.environment("reporting", space)
    store["meta"].update_one({"_id": "shape"}, {"$set": {"number": SHAPE}}, upsert=True)
    Generations(store.database).activate(store.generation)
    return stage.server(f"{space} ours", ["services.reporting", "api"], env, "reporting")


def _reader(stage: Stage, port: int, asked: bytes) -> Callable[[int], float]:
    def read(_: int) -> float:
        plan = Plan(
            port=port,
            requests=[asked],
            connections=1,
            warm=stage.scale.warm / 2,
            count=stage.scale.requests,
            again=True,
        )
        return percentile(load(plan, 200).latencies, 0.99) * 1000

    return read


def _result(
    stage: Stage, place: str, slow: list[float], quick: list[float], limits: dict[str, dict[str, float]]
) -> Result:
    scale = stage.scale
    return Result(
        figure=f"6 ({place})",
        about=f"GET /kpis for {place}, 99th percentile with {scale.many:,} facts over {scale.few:,}",
        unit="ms",
        ours=slow,
        floor=quick,
        goal=GOAL,
        limits=limits,
    )
