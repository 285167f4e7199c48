"""Rules across documents hold when many try at once; leases have one holder; timers are done."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from infra.problems import Refused, Text
from infra.storage import guards
from infra.storage.failures import may_pass
from infra.storage.guards import transaction
from infra.storage.leases import Lease
from infra.storage.mongo import Document, connect
from infra.storage.timers import Timers, TimersLoop
from tests.component.infra.things import NOON
from tests.conftest import SettingsFor
from tests.support import PATIENCE_SECONDS


@pytest.fixture
def database(settings_for: SettingsFor) -> Database[Document]:
    return connect(settings_for("enrollment"))


@pytest.mark.parametrize("processes", ["one", "many"])
def test_a_cap_over_several_documents_holds_under_concurrency(
    database: Database[Document], processes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty at once want one of five places: five get one. Without the guard more would."""
    # Sixty that meet at one guard may take long on a busy machine; here each has to have its turn.
    monkeypatch.setattr(guards, "LONGEST_SECONDS", PATIENCE_SECONDS)
    if processes == "many":
        # Threads that don't wait for each other are like processes of their own.
        monkeypatch.setattr(guards, "_queued", lambda keys: nullcontext())
    database.create_collection("places")

    def take(number: int) -> bool:
        def work(session: ClientSession) -> bool:
            if database["places"].count_documents({}, session=session) >= 5:
                raise Refused("full", Text("Penuh.", "Full."))
            database["places"].insert_one({"_id": number}, session=session)
            return True

        try:
            return transaction(database, ["guide:new"], work)
        except Refused:
            return False

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(take, range(60)))
    assert sum(taken) == 5
    assert database["places"].count_documents({}) == 5


def test_a_refusal_undoes_the_transaction(database: Database[Document]) -> None:
    """What was written before the refusal is gone."""
    database.create_collection("places")

    def work(session: ClientSession) -> None:
        database["places"].insert_one({"_id": 1}, session=session)
        raise Refused("full", Text("Penuh.", "Full."))

    with pytest.raises(Refused):
        transaction(database, ["a", "b"], work)
    assert database["places"].count_documents({}) == 0


def test_a_guard_that_no_majority_has_guards_nothing(database: Database[Document]) -> None:
    """It is made before the transaction, and a failover may take it away: the caller hears that it may pass."""
    unsure = database.with_options(write_concern=WriteConcern(w=50))
    with pytest.raises(BulkWriteError) as error:
        transaction(unsure, ["employee:new"], lambda session: None)
    assert may_pass(error.value)


def test_a_lease_has_one_holder(database: Database[Document]) -> None:
    """Nobody else gets it while it lasts; given back, it is free at once."""
    first, second = Lease(database, "relay", 30), Lease(database, "relay", 30)
    assert first.acquire()
    assert first.acquire(), "the holder prolongs it"
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert not first.acquire()


def test_a_lease_runs_out(database: Database[Document]) -> None:
    """A holder that is gone doesn't keep it."""
    assert Lease(database, "relay", -1).acquire()
    assert Lease(database, "relay", 30).acquire()


def test_a_lease_from_a_time_when_the_clock_ran_ahead_bars_nobody(database: Database[Document]) -> None:
    """Nobody can rightly have it for longer than it lasts."""
    assert Lease(database, "relay", 7 * 3600).acquire()
    assert Lease(database, "relay", 30).acquire()


def test_timers_run_when_due_and_once(database: Database[Document]) -> None:
    """Only what is due runs; what was cancelled doesn't; another worker finds nothing left."""
    timers = Timers(database)
    timers.ensure_indexes()
    timers.set("ring", "due", NOON, {"n": 1})
    timers.set("ring", "later", NOON + timedelta(hours=1))
    timers.set("ring", "cancelled", NOON)
    timers.cancel("ring", "cancelled")
    rung: list[tuple[str, Any]] = []
    loop = TimersLoop(timers, {"ring": lambda key, payload: rung.append((key, payload))}, lambda: NOON)
    assert loop.run_due()
    assert not loop.run_due()
    assert rung == [("due", {"n": 1})]


def test_a_timer_that_fails_is_tried_again(database: Database[Document]) -> None:
    """The failure neither loses the timer nor stops the loop."""
    timers = Timers(database)
    timers.set("ring", "x", NOON)
    now = [NOON]
    done: list[str] = []

    def ring(key: str, payload: Any) -> None:
        if now[0] == NOON:
            raise ValueError("not yet")
        done.append(key)

    loop = TimersLoop(timers, {"ring": ring}, lambda: now[0])
    assert loop.run_due()
    assert not done
    now[0] += timedelta(minutes=2)
    assert loop.run_due()
    assert done == ["x"]
