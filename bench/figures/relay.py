"""Figure 3: events a second from documents to Kafka by our relay, over a bare producer of the same bytes.

Measured: from the relay's first look at the collection until all documents are marked as sent: read with majority
concern, headers made, sent, acknowledged by all replicas, `sent` advanced in the database (journalled). The relay
holds its lease and its connections beforehand, as it does all day.

Floor: kafka-python with our producer's settings, given the very same keys, values and headers ready-made in
memory; from the first `send` to the last acknowledgement. It reads no database and remembers nothing.
"""

from collections.abc import Callable
from datetime import timedelta

from bench.cast import Cast
from bench.lane import Lane, Stint, rate, together
from bench.outcome import Goal, Result, alternate
from bench.stage import Stage
from bench.stored import store_sessions
from bench.watch import profiled_pid, while_going
from infra.clock import system_clock
from infra.storage.mongo import connect
from services.sessions.store import Store

SPACE = "relay"
GOAL = Goal("at least", 0.7)
PAIRS = 1_000


class Relaying:
    """A database full of sessions whose events can be made unsent again."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._events = stage.scale.events
        self._env = stage.environment("sessions", SPACE)
        self._store = Store(connect(stage.settings("sessions", SPACE)))
        self._store.ensure_indexes()
        self._ids = store_sessions(self._store, Cast.of(stage, PAIRS), self._events)

    def ours(self, watch: Callable[[int], object] | None = None) -> float:
        """One round of our relay. watch: is given its process id while it works."""
        self._unsend()
        lane = Lane(self._stage, "bench.ours.relay", self._env, str(self._events), self._ids[0])
        return rate(together([lane], Stint, lambda: watch(lane.pid) if watch else None))

    def _unsend(self) -> None:
        """All is to be sent again, the first document as the oldest."""
        sessions, now = self._store.sessions.collection, system_clock()
        sessions.update_many({}, {"$set": {"sent": 0, "unsent": {"lane": 0, "at": now}}})
        sessions.update_one({"_id": self._ids[0]}, {"$set": {"unsent.at": now - timedelta(hours=1)}})

    def floor(self) -> float:
        """One round of the bare producer."""
        return rate(together([Lane(self._stage, "bench.floors.produce", self._env)], Stint))


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    relaying = Relaying(stage)
    mine, bare = alternate(stage.scale.repeats, lambda _: relaying.ours(), lambda _: relaying.floor())
    limits: dict[str, dict[str, float]] = {}
    if stage.scale.profiles:
        limits["profile of ours"] = while_going(relaying.ours, profiled_pid)
    stage.drop(SPACE)
    return [
        Result(
            figure="3",
            about="the relay, from documents to acknowledged and marked, over a bare producer of the same records",
            unit="events/s",
            ours=mine,
            floor=bare,
            goal=GOAL,
            limits=limits,
        )
    ]
