"""Figure 1: sessions stored a second by `PUT /sessions/{id}`, over a bare route that only inserts the document.

Measured: our API as it is run (two processes of 32 threads), 32 clients that each send the next session as soon
as the last is answered: token, validation, the pairing's rules, the unique slots, the event in the document, the
answer with the whole resource. Writes wait for the majority and the journal.

Floor: Flask on granian with the same settings and as many processes, which inserts a document with the same
fields and sizes into a collection without any index but that of ids, with the same write concern, and answers
nothing. It is fair as a floor since nobody can store the session durably for less; it is not a service. What the
indexes alone cost the same bare route stands beside it.
"""

from bench.outcome import Goal, Result, alternate
from bench.putting import Putting, Round
from bench.stage import Stage
from bench.watch import profiled

SPACE = "put"
GOAL = Goal("at least", 0.8)


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    putting = Putting(stage, SPACE)
    port = putting.floor()
    last: dict[str, Round] = {}

    def ours(_: int) -> float:
        last["ours"] = putting.ours()
        return last["ours"].report.rate

    def floor(_: int) -> float:
        last["the floor"] = putting.bare(port, "plain")
        return last["the floor"].report.rate

    def indexed_floor(_: int) -> float:
        last["the floor with indexes"] = putting.bare(port, "indexed")
        return last["the floor with indexes"].report.rate

    mine, bare, indexed = alternate(stage.scale.repeats, ours, floor, indexed_floor)
    limits = {f"cores used with {side}": one.cores for side, one in last.items()}
    if stage.scale.profiles:
        limits["profile of ours"] = profiled(stage.processes[f"{SPACE} ours"], putting.ours)
        limits["profile of the floor"] = profiled(
            stage.processes[f"{SPACE} floor"], lambda: putting.bare(port, "plain")
        )
    stage.stop(f"{SPACE} ours", f"{SPACE} floor")
    stage.drop(SPACE)
    notes = {side: one.seen for side, one in last.items()}
    about = "PUT /sessions/{id}, 32 clients, over a bare route that inserts the same document"
    return [
        Result(
            figure="1",
            about=about,
            unit="sessions/s",
            ours=mine,
            floor=bare,
            goal=GOAL,
            notes=notes,
            limits=limits,
        ),
        Result(
            figure="1 (indexed)",
            about="the same over the bare route into a collection with our indexes",
            unit="sessions/s",
            ours=mine,
            floor=indexed,
        ),
    ]
