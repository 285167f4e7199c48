"""What figures of `PUT /sessions/{id}` share: our API with pairings in it, and how it is loaded."""

import uuid
from typing import NamedTuple

from bench.cast import Cast, stored_like
from bench.client import Plan, Report
from bench.load import load
from bench.outcome import percentile
from bench.stage import Stage
from bench.watch import cores
from infra.storage.mongo import Document, connect
from services.sessions.store import Store

PAIRS = 640
MOST_PER_SECOND = 4_000


class Round(NamedTuple):
    """What the clients saw, and how many cores each process used meanwhile."""

    report: Report
    cores: dict[str, float]

    @property
    def seen(self) -> dict[str, float]:
        """Median and 99th percentile of the answers, in milliseconds."""
        return times(self.report)


class Putting:
    """Our sessions API, in a space of its own, and 32 phones."""

    def __init__(self, stage: Stage, space: str) -> None:
        self.stage, self.space = stage, space
        self.cast = Cast.of(stage, PAIRS)
        self.cast.move_in(connect(stage.settings("sessions", space)))
        env = stage.environment("sessions", space)
        self.port = stage.server(f"{space} ours", ["services.sessions", "api"], env, "sessions")

    def ours(self) -> Round:
        """One round of sessions put through our API."""
        return self.round(self.port)

    def round(self, port: int) -> Round:
        """One round of sessions put through an API like ours."""
        return self._load(port, self.cast.puts(self._count // 2))

    def bare(self, port: int, collection: str) -> Round:
        """One round of the bare route, which takes nothing but an id."""
        line = f"PUT /{collection}/%s HTTP/1.1\r\nHost: x\r\n\r\n"
        return self._load(port, [(line % uuid.uuid4()).encode() for _ in range(self._count)])

    @property
    def _count(self) -> int:
        return int(MOST_PER_SECOND * (self.stage.scale.seconds + self.stage.scale.warm))

    def template(self) -> Document:
        """A document that our API has stored."""
        load(Plan(port=self.port, requests=self.cast.puts(1), connections=1), 201)
        return stored_like(self.stage, self.space)

    def floor(self) -> int:
        """Starts the bare route, with the document of ours to copy; its port."""
        database = connect(self.stage.settings("floor", self.space))
        database["template"].insert_one(self.template())
        like_ours = Store(database)
        like_ours.sessions.collection = database["indexed"]
        like_ours.ensure_indexes()
        env = self.stage.environment("floor", self.space)
        return self.stage.server(f"{self.space} floor", ["bench.floors.route"], env, "floor")

    def _load(self, port: int, requests: list[bytes]) -> Round:
        scale = self.stage.scale
        plan = Plan(
            port=port,
            requests=requests,
            connections=scale.clients,
            seconds=scale.seconds,
            warm=scale.warm,
        )
        return Round(*cores(self.stage.processes, lambda: load(plan, 201)))


def times(report: Report) -> dict[str, float]:
    """Median and 99th percentile of the answers, in milliseconds."""
    return {
        "median ms": round(percentile(report.latencies, 0.5) * 1000, 2),
        "p99 ms": round(percentile(report.latencies, 0.99) * 1000, 2),
    }
