"""The relay at work on much: pages that overlap, marking again, and what is seen to in between."""

import threading
from collections import Counter

import pytest
from pymongo.database import Database

from infra.clock import system_clock
from infra.messaging import relay as relays
from infra.messaging import unsent
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.unsent import UNSENT, resend
from infra.messaging.wake import Wake
from infra.settings import Settings
from infra.storage.mongo import Document, connect
from tests.component.infra.things import Thing, Threads, change, things
from tests.conftest import SettingsFor
from tests.support import PATIENCE_SECONDS, eventually, running

MANY = 57


def filled(database: Database[Document]) -> None:
    """Stores many things, whose events nobody has sent yet."""
    things(database).insert_many(
        [(Thing(id=str(number), colour="red"), change("made"), None) for number in range(MANY)]
    )


def relay(settings: Settings, database: Database[Document]) -> Relay:
    """The relay of things."""
    return Relay(settings, database, [things(database)], system_clock)


def test_pages_that_overlap_send_each_event_once(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page is read while one is sent and others are advanced: none is left out, none is read twice."""
    monkeypatch.setattr(relays, "PAGE", 5)
    settings = settings_for("enrollment")
    database = connect(settings)
    filled(database)
    seen: Counter[str] = Counter()

    def count(events: list[Event]) -> None:
        seen.update(event.subject for event in events)

    consumer = Consumer(settings, "notifications", ["enrollment.events"], count, system_clock)
    with running(Threads(relay(settings, database), consumer)):
        eventually(lambda: len(seen) == MANY)
        eventually(lambda: things(database).collection.count_documents(UNSENT) == 0)
    assert set(seen.values()) == {1}


def test_a_second_change_within_a_millisecond_wakes_it_too(settings_for: SettingsFor) -> None:
    """Otherwise it would wait for as long as other collections keep the relay awake."""
    database = connect(settings_for("enrollment"))
    repository = things(database)
    wake = Wake(database, ["things", "others"])
    with running(Threads(wake)):
        assert wake.wait(PATIENCE_SECONDS) == {"things", "others"}, "what came before it listened"
        stored = repository.insert(Thing(id="1", colour="red"), change("made"))
        assert wake.wait(PATIENCE_SECONDS) == {"things"}
        for colour in ("green", "blue"):
            stored = repository.replace(stored, Thing(id="1", colour=colour), change("painted"))
            assert wake.wait(PATIENCE_SECONDS) == {"things"}


def test_any_number_is_marked_to_be_sent_again_in_portions(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: each call has an end, and all that match are marked once."""
    monkeypatch.setattr(unsent, "PORTION", 10)
    repository = things(connect(settings_for("enrollment")))
    filled(repository.collection.database)
    repository.collection.update_many({}, {"$set": {"sent": 1}, "$unset": {"unsent": ""}})
    portions: list[int] = []

    def look() -> None:
        portions.append(repository.collection.count_documents(UNSENT))

    wanted = {"_id": {"$ne": "7"}}
    assert resend(repository, wanted, system_clock, after_portion=look) == MANY - 1
    assert portions == [10, 20, 30, 40, 50, MANY - 1]
    assert repository.collection.distinct("_id", {"sent": 1}) == ["7"]


def test_a_relay_that_lost_its_lease_stops_marking(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised between two portions ends it: the next holder marks everything anew."""
    monkeypatch.setattr(unsent, "PORTION", 10)
    repository = things(connect(settings_for("enrollment")))
    filled(repository.collection.database)
    repository.collection.update_many({}, {"$unset": {"unsent": ""}})

    def lose() -> None:
        raise relays.LeaseLost

    with pytest.raises(relays.LeaseLost):
        resend(repository, {}, system_clock, after_portion=lose)
    assert repository.collection.count_documents(UNSENT) == 10


def test_it_looks_around_however_busy_it_is(settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another cluster, what was postponed, and the backlog are of interest when there is always more to send."""
    monkeypatch.setattr(relays, "LOOK_AROUND_SECONDS", 0.0)
    settings = settings_for("enrollment")
    busy, stop, looks = relay(settings, connect(settings)), threading.Event(), list[None]()

    def look() -> None:
        looks.append(None)
        # The first time is before anything is sent.
        if len(looks) > 1:
            stop.set()

    monkeypatch.setattr(busy, "_pages", lambda *_: True)
    monkeypatch.setattr(busy, "_look_around", look)
    thread = threading.Thread(target=busy.run, args=(stop,), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
