"""A relay is frozen past the end of its lease, and acts on when it is thawed: two of them have sent the same."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from chaos.proxy import Proxy
from infra.clock import system_clock
from infra.local.brokers import choose_broker
from infra.local.ports import free_port
from infra.local.process import Process
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.subscription import dispatch, on
from infra.settings import Settings
from infra.storage.copies import Copies
from tests.component.infra.things import Threads
from tests.component.sessions.world import START, World, body
from tests.conftest import SettingsFor, Tokens
from tests.processes import is_ready, process_of
from tests.reliability.stored import unsent
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(600)
PAGE = 400
"""Sessions of one learner: more than the producer puts into one request."""

_PRODUCE = 0


class Gate(Proxy):
    """A way to the broker that can be closed for those who are on it; whoever comes later passes.

    caught: set once somebody has tried to write something through the closed gate.
    """

    def __init__(self) -> None:
        super().__init__(kafka=True)
        self.caught = threading.Event()
        self._held: set[asyncio.StreamWriter] = set()
        self._released = asyncio.Event()

    def close(self) -> None:
        """From now on nothing gets through on the connections that are open."""
        self._held = set(self._writers)

    def release(self) -> None:
        """What was held goes on its way."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if writer in self._held:
            if int.from_bytes(data[4:6], "big") == _PRODUCE:
                self.caught.set()
            await self._released.wait()
        await super()._pass_on(data, writer)


@pytest.fixture
def gate() -> Iterator[Gate]:
    with Gate() as gate:
        yield gate


@pytest.fixture
def settings(settings_for: SettingsFor, gate: Gate) -> Iterator[Settings]:
    """With a broker of this test's own, to which there is no other way than the gate."""
    broker = choose_broker(os.environ, advertised=gate.address)
    gate.lead_to(int(broker.address.rpartition(":")[2]))
    with broker:
        yield settings_for("sessions", kafka_bootstrap=gate.address, broker_profile=broker.profile)


class Seen(msgspec.Struct, frozen=True):
    minutes: int


def test_a_relay_that_was_frozen_past_its_lease_harms_nobody(
    settings: Settings, gate: Gate, tokens: Tokens
) -> None:
    """Its page arrives behind newer events of the other one: none is missing, and a reader ends with the last."""
    world = World(settings, tokens)
    guide = world.employee()
    pairing = world.pairing(guide, world.employee())
    log: list[Event] = []
    first = process_of(settings, "worker")
    second = process_of(replace(settings, worker_port=free_port()), "worker")
    with running(first):
        world.post_session(guide, pairing).expect(201)
        eventually(lambda: unsent(world.store.aggregates) == 0)
        gate.close()
        page = [{"id": str(uuid4()), **body(pairing, started_at=_hours_ago(number))} for number in range(PAGE)]
        _sync(world, guide, page)
        assert gate.caught.wait(60)
        # Frozen at once: for what isn't answered in some seconds it would try another connection, past the gate.
        with _frozen(first) as thaw, running(second, Threads(_reader(world, log))):
            _sync(world, guide, [{**each, "base_version": 1, "minutes": 45} for each in page])
            eventually(lambda: unsent(world.store.aggregates) == 0)
            assert _holder(world) == second.pid
            eventually(lambda: _told(world) <= _heard(log))
            # All are about one learner, so they are in one partition; what is read twice keeps its offset.
            newest = max(event.offset for event in log)
            gate.release()
            late = eventually(lambda: [event for event in log if event.offset > newest])
            assert {event.seq for event in late} == {1}
            thaw()
            eventually(lambda: is_ready(settings.worker_port))
            world.post_session(guide, pairing, started_at=_hours_ago(PAGE)).expect(201)
            eventually(lambda: unsent(world.store.aggregates) == 0)
            eventually(lambda: _told(world) <= _heard(log))
            assert _holder(world) == second.pid
    copies = {each["_id"]: (each["seq"], each["minutes"]) for each in world.store.database["copies"].find()}
    assert copies == {each.state.id: (each.seq, each.state.minutes) for each in world.store.sessions.find({})}


def _hours_ago(number: int) -> datetime:
    return START - timedelta(hours=number + 1)


def _sync(world: World, guide: str, sessions: list[dict[str, Any]]) -> None:
    answer = world.by(guide).post("/v1/sync", {"sessions": sessions, "transitions": []}).expect(200)
    assert {result["status"] for result in answer.body["results"]} == {"stored"}


@contextmanager
def _frozen(process: Process) -> Iterator[Callable[[], None]]:
    """It stands still until it is thawed, at the latest at the end of the block, and knows nothing of it then."""
    assert process.pid
    thaw = partial(os.killpg, process.pid, signal.SIGCONT)
    os.killpg(process.pid, signal.SIGSTOP)
    try:
        yield thaw
    finally:
        thaw()


def _reader(world: World, log: list[Event]) -> Consumer:
    """Somebody who keeps copies of sessions, and notes what comes."""
    copies = Copies(world.store.database["copies"])

    def copy(batch: list[tuple[Event, Seen]]) -> None:
        copies.apply(batch, lambda _, seen: {"minutes": seen.minutes})
        log.extend(event for event, _ in batch)

    return Consumer(
        world.settings, "readers", ["sessions.events"], dispatch([on("session", Seen, copy)]), system_clock
    )


def _heard(log: list[Event]) -> set[tuple[str, int]]:
    return {(event.subject, event.seq) for event in log}


def _told(world: World) -> set[tuple[str, int]]:
    """What is to be found in the topic of sessions."""
    sessions = world.store.sessions.collection.find({}, {"events.seq": 1})
    return {(each["_id"], event["seq"]) for each in sessions for event in each["events"]}


def _holder(world: World) -> int:
    """The process that holds the lease."""
    lease = world.store.database["leases"].find_one({"_id": "relay"}) or {}
    return int(lease["owner"].split("/")[1])
