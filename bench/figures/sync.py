"""Figure 2: sessions stored a second by `POST /sync` with 100 sessions a request, over a bare `insert_many`.

Measured: our API, 8 phones at a time, each with a cursor from an earlier sync and 100 new sessions of its guide:
every item validated on its own, the rules of its pairing, overlaps, one result for each, and what is new for the
guide (that is, these 100 sessions again) with the next cursor.

Floor: the bare route of figure 1, which inserts 100 such documents by one `insert_many` with the same write
concern, reads no body and answers nothing.
"""

import time
import uuid

from bson import Timestamp

from bench.cast import Cast, Pair, request, stored_like
from bench.client import Plan
from bench.floors.route import SESSIONS
from bench.load import load
from bench.outcome import Goal, Result, alternate
from bench.putting import Round
from bench.stage import Stage
from bench.watch import cores, profiled
from infra.storage.mongo import connect
from services.sessions.commands.changes import WINDOW, Cursor, Place

SPACE = "sync"
GOAL = Goal("at least", 0.4)
PHONES = 8
REQUESTS_A_SECOND = 150
"""More than any side answers: each guide syncs once a round, since what is young is told again."""


class Syncing:
    """Our API, and guides whose phones have synced before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        seconds = stage.scale.seconds + stage.scale.warm
        self.cast = Cast.of(stage, int(REQUESTS_A_SECOND * seconds))
        self.cast.move_in(connect(stage.settings("sessions", SPACE)))
        env = stage.environment("sessions", SPACE)
        self.port = stage.server(f"{SPACE} ours", ["services.sessions", "api"], env, "sessions")

    def _cursor(self) -> str:
        """As a phone holds it that has synced a moment ago."""
        place = Place(Timestamp(int(time.time()) - WINDOW, 0), "", "")
        return Cursor(place, place).write()

    def ours(self) -> Round:
        """One round: each guide syncs once at the most."""
        cursor = self._cursor()
        plan = self._plan(self.port, [self._sync(pair, cursor) for pair in self.cast.pairs])
        return Round(*cores(self._stage.processes, lambda: load(plan, 200)))

    def _sync(self, pair: Pair, cursor: str) -> bytes:
        sessions = [{"id": str(uuid.uuid4()), **pair.session()} for _ in range(SESSIONS)]
        body = {"cursor": cursor, "sessions": sessions}
        return request("POST", "/v1/sync", pair.token, body)

    def floor(self) -> int:
        """Starts the bare route; its port."""
        pair = self.cast.pairs[0]
        load(Plan(port=self.port, requests=[self._sync(pair, self._cursor())], connections=1), 200)
        connect(self._stage.settings("floor", SPACE))["template"].insert_one(stored_like(self._stage, SPACE))
        env = self._stage.environment("floor", SPACE)
        return self._stage.server(f"{SPACE} floor", ["bench.floors.route"], env, "floor")

    def bare(self, port: int) -> Round:
        """One round of the bare route."""
        plan = self._plan(port, [b"POST /sync HTTP/1.1\r\nHost: x\r\n\r\n"], again=True)
        return Round(*cores(self._stage.processes, lambda: load(plan, 201)))

    def _plan(self, port: int, requests: list[bytes], *, again: bool = False) -> Plan:
        scale = self._stage.scale
        return Plan(
            port=port,
            requests=requests,
            connections=PHONES,
            seconds=scale.seconds,
            warm=scale.warm,
            again=again,
        )


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    syncing = Syncing(stage)
    port = syncing.floor()
    last: dict[str, Round] = {}

    def ours(_: int) -> float:
        last["ours"] = syncing.ours()
        return last["ours"].report.rate * SESSIONS

    def floor(_: int) -> float:
        last["the floor"] = syncing.bare(port)
        return last["the floor"].report.rate * SESSIONS

    mine, bare = alternate(stage.scale.repeats, ours, floor)
    limits = {f"cores used with {side}": one.cores for side, one in last.items()}
    if stage.scale.profiles:
        limits["profile of ours"] = profiled(stage.processes[f"{SPACE} ours"], syncing.ours)
    stage.stop(f"{SPACE} ours", f"{SPACE} floor")
    stage.drop(SPACE)
    return [
        Result(
            figure="2",
            about="POST /sync with 100 sessions, 8 phones, over a bare route with one insert_many",
            unit="sessions/s",
            ours=mine,
            floor=bare,
            goal=GOAL,
            notes={side: one.seen for side, one in last.items()},
            limits=limits,
        )
    ]
