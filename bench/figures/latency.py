"""Figure 5: from the answer to `PUT` to the KPI showing it, over a bare round trip on the same broker.

Measured: sessions' API and worker and reporting's worker and API run as they do in `make up`, with half of the
load on `PUT` that they bear together. A probe puts one session of a learner in a unit of its own and then asks
`GET /kpis/confirmation_rate/series` for that unit, every 10 ms, until it counts one more; the time runs from
the answer to the PUT, and is up to 10 ms too long. (Asked without a pause, the API alone used most of a core.) In
between lie the wake-up of the relay, the read with majority concern, Kafka, the projection's journalled
transaction and the answer of the API.

Floor: kafka-python sends a record of the same size without lingering and polls until it is there, in one process,
with the same load on the same machine and broker. The floor without load stands beside it.
"""

import http.client
import json
import time
import uuid
from collections.abc import Callable

from bench import city
from bench.cast import Cast, Pair
from bench.client import Plan
from bench.lane import Lane, together
from bench.load import Background, load
from bench.outcome import Goal, Result, percentile
from bench.stage import Stage
from infra.storage.mongo import connect
from services.reporting.generations import Generations

SPACE = "latency"
LONGEST_SECONDS = 60.0
SETTLE_SECONDS = 3.0
MOST_SECONDS = 120
PROBE_PAUSE = 0.05
LOOK_PAUSE = 0.01
PERIOD = "grain=year&from=2018&to=2018"


class Way:
    """The whole way from phones to figures, with people in it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._move_in()
        sessions, reporting = (stage.environment(name, SPACE) for name in ("sessions", "reporting"))
        stage.start(f"{SPACE} sessions worker", ["services.sessions", "worker"], sessions)
        stage.start(f"{SPACE} reporting worker", ["services.reporting", "worker"], reporting)
        self.puts = stage.server(f"{SPACE} sessions api", ["services.sessions", "api"], sessions, "sessions")
        kpis = stage.server(f"{SPACE} reporting api", ["services.reporting", "api"], reporting, "reporting")
        self._put = http.client.HTTPConnection("127.0.0.1", self.puts, timeout=60)
        self._get = http.client.HTTPConnection("127.0.0.1", kpis, timeout=60)
        self._token = stage.keys.token("latency-bench", ["hr"])

    def _move_in(self) -> None:
        settings = self.stage.settings("reporting", SPACE)
        city.move_in(Generations(connect(settings)).begin(), settings.partitions)
        units = city.people()
        who = list(units)
        self._unit = units[who[-1]]
        others = [person for person in who if units[person] != self._unit]
        self.crowd = Cast(self.stage, others[:1000])
        probing = Cast(self.stage, [others[-1], who[-1]])
        self._pair: Pair = probing.pairs[0]
        database = connect(self.stage.settings("sessions", SPACE))
        for cast in (self.crowd, probing):
            cast.move_in(database)

    def probe(self) -> float:
        """Puts one session; seconds from the answer until the figure counts it."""
        # The server lets go of connections that were silent for a while.
        self._put.close()
        self._get.close()
        before = self._count()
        body = json.dumps(self._pair.session())
        headers = {"Authorization": f"Bearer {self._pair.token}", "Content-Type": "application/json"}
        self._put.request("PUT", f"/v1/sessions/{uuid.uuid4()}", body, headers)
        answer = self._put.getresponse()
        answered = time.perf_counter()
        if answer.status != 201:
            raise RuntimeError(f"a probe was refused: {answer.read()[:300]!r}")
        answer.read()
        while self._count() <= before:
            if time.perf_counter() - answered > LONGEST_SECONDS:
                raise TimeoutError("a session did not come to be counted")
            time.sleep(LOOK_PAUSE)
        return time.perf_counter() - answered

    def _count(self) -> int:
        path = f"/v1/kpis/confirmation_rate/series?{PERIOD}&unit={self._unit}"
        self._get.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
        items = json.loads(self._get.getresponse().read())["items"]
        return int(items[0]["denominator"] or 0)

    def capacity(self) -> float:
        """Sessions a second that 32 clients store while workers do their part."""
        scale = self.stage.scale
        requests = self.crowd.puts(int(2_000 * (scale.seconds + scale.warm)))
        plan = Plan(
            port=self.puts,
            requests=requests,
            connections=scale.clients,
            seconds=scale.seconds,
            warm=scale.warm,
        )
        return load(plan, 201).rate

    def at(self, rate: float) -> Background:
        """Phones that put so many sessions a second until stopped."""
        requests = self.crowd.puts(int(rate * MOST_SECONDS))
        plan = Plan(port=self.puts, requests=requests, connections=self.stage.scale.clients, rate=rate)
        return Background(plan)


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    way, probes = Way(stage), stage.scale.probes
    way.probe()
    half = way.capacity() / 2
    # What the capacity test left to do is done when a probe is through.
    way.probe()
    mine, floors, idle = [], [], _trips(stage, probes)
    for _ in range(stage.scale.repeats):
        mine.append(_under(way, half, lambda: [_paced(way) for _ in range(probes)]))
        floors.append(_under(way, half, lambda: _trips(stage, probes)))
    for name in ("sessions worker", "reporting worker", "sessions api", "reporting api"):
        stage.stop(f"{SPACE} {name}")
    stage.drop(SPACE)
    notes = {
        "sessions put each second meanwhile": round(half),
        "ms of the floor without load": {
            "median": round(percentile(idle, 0.5) * 1000, 2),
            "p99": round(percentile(idle, 0.99) * 1000, 2),
        },
    }
    return [
        _result("5 (median)", 0.5, mine, floors, Goal("at most", 10), notes),
        _result("5 (p99)", 0.99, mine, floors, Goal("at most", 20), {}),
    ]


def _paced(way: Way) -> float:
    time.sleep(PROBE_PAUSE)
    return way.probe()


def _under(way: Way, rate: float, measure: Callable[[], list[float]]) -> list[float]:
    background = way.at(rate)
    try:
        time.sleep(SETTLE_SECONDS)
        return measure()
    finally:
        background.stop()


def _trips(stage: Stage, count: int) -> list[float]:
    lane = Lane(stage, "bench.floors.roundtrip", stage.environment("notifications", SPACE), str(count))
    return together([lane], list[float])[0]


def _result(
    figure: str,
    share: float,
    mine: list[list[float]],
    floors: list[list[float]],
    goal: Goal,
    notes: dict[str, object],
) -> Result:
    return Result(
        figure=figure,
        about="from the answer to PUT to the KPI showing it, over a bare produce-consume round trip, at half load",
        unit="ms",
        ours=[percentile(one, share) * 1000 for one in mine],
        floor=[percentile(one, share) * 1000 for one in floors],
        goal=goal,
        notes=notes,
    )
