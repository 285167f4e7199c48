"""Figure 8: sessions stored a second by our `PUT`, over the same `PUT` in FastAPI with a transactional outbox.

Measured: as figure 1. The peer (bench/floors/peer.py) gets the same requests, knows the same pairings, keeps the
same rules and the same durability, and runs as it is usually run: uvicorn on uvloop with as many processes as
ours, async PyMongo. It answers the same resource. What it lacks (logs, metrics, conditional changes) is in its
favour.
"""

from bench.outcome import Goal, Result, alternate
from bench.putting import Putting, Round
from bench.stage import Stage
from bench.watch import profiled
from infra.storage.mongo import connect

SPACE = "peer"
GOAL = Goal("at least", 1.2)


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    putting = Putting(stage, SPACE)
    putting.cast.move_in(connect(stage.settings("peer", SPACE)))
    port = stage.server(f"{SPACE} theirs", ["bench.floors.peer"], stage.environment("peer", SPACE), "peer")
    last: dict[str, Round] = {}

    def ours(_: int) -> float:
        last["ours"] = putting.ours()
        return last["ours"].report.rate

    def theirs(_: int) -> float:
        last["the peer"] = putting.round(port)
        return last["the peer"].report.rate

    mine, others = alternate(stage.scale.repeats, ours, theirs)
    limits = {f"cores used with {side}": one.cores for side, one in last.items()}
    if stage.scale.profiles:
        limits["profile of the peer"] = profiled(stage.processes[f"{SPACE} theirs"], lambda: putting.round(port))
    stage.stop(f"{SPACE} ours", f"{SPACE} theirs")
    stage.drop(SPACE)
    return [
        Result(
            figure="8",
            about="the same PUT, 32 clients, over FastAPI with pydantic, async PyMongo and a transactional outbox",
            unit="sessions/s",
            ours=mine,
            floor=others,
            goal=GOAL,
            notes={side: one.seen for side, one in last.items()},
            limits=limits,
        )
    ]
