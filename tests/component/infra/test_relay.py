"""The relay at work on much: pages that overlap, marking again, and what is seen to in between."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError, NotEnoughReplicasError, TopicAuthorizationFailedError
from pymongo.database import Database

from infra.clock import system_clock
from infra.messaging import relay as relays
from infra.messaging import unsent
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.unsent import POSTPONED_LANE, UNSENT, resend
from infra.messaging.wake import Wake
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
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
    seen: dict[tuple[int, int], str] = {}

    def count(events: list[Event]) -> None:
        seen.update({(event.partition, event.offset): event.subject for event in events})

    consumer = Consumer(settings, "notifications", ["enrollment.events"], count, system_clock)
    with running(Threads(relay(settings, database), consumer)):
        eventually(lambda: len(set(seen.copy().values())) == MANY)
        eventually(lambda: things(database).collection.count_documents(UNSENT) == 0)
    assert len(seen) == MANY


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


def others(database: Database[Document], topic: str, name: str = "others") -> Aggregates[Thing]:
    """A second collection of things."""
    return Aggregates(database[name], Thing, topic=topic, public=lambda thing: {"id": thing.id})


def test_it_listens_anew_when_its_database_was_dropped(settings_for: SettingsFor) -> None:
    """As when a backup is brought back into its place: the stream of changes ends with what it told of."""
    database = connect(settings_for("enrollment"))
    things(database)
    wake = Wake(database, ["things"])
    with running(Threads(wake)):
        assert wake.wait(PATIENCE_SECONDS) == {"things"}, "what came before it listened"
        database.client.drop_database(database.name)
        eventually(lambda: wake.changed == {"things"})
        assert wake.wait(PATIENCE_SECONDS) == {"things"}
        things(database).insert(Thing(id="1", colour="red"), change("made"))
        eventually(lambda: wake.changed == {"things"})


class Failing:
    """What the producer promises of a record that it will not bring to Kafka."""

    is_done = False

    def get(self, timeout: float) -> None:
        """When it has given up."""
        raise NotEnoughReplicasError


class Refused(Failing):
    """What it promises where it learns at once that it may not write there."""

    is_done = True
    exception = TopicAuthorizationFailedError()


def times_out() -> Any:
    """What it does when nobody tells it of the topic."""
    raise KafkaTimeoutError


class Sending:
    """What a relay hands to its producer, by key, and what fails of it. refuse: what is promised for a topic."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        fails: str = "",
        topic: str = "",
        refuse: Callable[[], Any] = Refused,
    ) -> None:
        self.keys: list[str] = []
        self.then: Callable[[], object] = lambda: None
        send, refused = KafkaProducer.send, topic

        def sending(producer: KafkaProducer, topic: str, *, key: bytes, **record: Any) -> Any:
            self.keys.append(key.decode())
            self.then()
            if refused and topic.endswith(refused):
                return refuse()
            if key.decode() == fails:
                return Failing()
            return send(producer, topic, key=key, **record)

        monkeypatch.setattr(KafkaProducer, "send", sending)


def unsent_of(database: Database[Document]) -> dict[str, int]:
    """The lanes of what waits, by id."""
    found = database["things"].find(UNSENT, {"unsent.lane": 1})
    return {each["_id"]: each["unsent"]["lane"] for each in found}


def test_what_can_not_be_written_is_in_nobodys_way(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition without a leader, say: the others are sent once, and it is tried again later."""
    settings = settings_for("enrollment")
    database = connect(settings)
    for id_ in ("a", "b", "c"):
        things(database).insert(Thing(id=id_, colour="red", owner=id_), change("made"))
    sending = Sending(monkeypatch, fails="b")
    with running(Threads(relay(settings, database))):
        eventually(lambda: set(unsent_of(database)) == {"b"})
        things(database).insert(Thing(id="d", colour="red", owner="d"), change("made"))
        eventually(lambda: unsent_of(database) == {"b": POSTPONED_LANE})
    assert {key: sending.keys.count(key) for key in "acd"} == {"a": 1, "c": 1, "d": 1}


def test_what_can_not_be_written_alone_is_in_nobodys_way(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else of its collection is to be sent: others are, and once."""
    settings = settings_for("enrollment")
    database = connect(settings)
    things(database).insert(Thing(id="b", colour="red", owner="b"), change("made"))
    behind = [others(database, "enrollment.events", name) for name in ("more", "others", "rest")]
    for each in behind:
        each.insert(Thing(id=each.collection.name, colour="red"), change("made"))
    sending = Sending(monkeypatch, fails="b")
    with running(Threads(Relay(settings, database, [things(database), *behind], system_clock))):
        eventually(lambda: unsent_of(database) == {"b": POSTPONED_LANE})
        eventually(lambda: not any(each.collection.count_documents(UNSENT) for each in behind))
    assert {each.collection.name: sending.keys.count(each.collection.name) for each in behind} == {
        "more": 1,
        "others": 1,
        "rest": 1,
    }


@pytest.mark.parametrize("refuse", [Refused, times_out])
def test_a_topic_that_can_not_be_written_is_waited_for_once_a_page(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch, refuse: Callable[[], Any]
) -> None:
    """However many want to be sent there; and the other topics are written meanwhile."""
    settings = settings_for("enrollment")
    database = connect(settings)
    filled(database)
    second = others(database, "sessions.events")
    second.insert(Thing(id="other", colour="red"), change("made"))
    sending = Sending(monkeypatch, topic="enrollment.events", refuse=refuse)
    with running(Threads(Relay(settings, database, [things(database), second], system_clock))):
        eventually(lambda: database["others"].count_documents(UNSENT) == 0)
    assert len(unsent_of(database)) == MANY
    assert sending.keys.count("nobody") < MANY


def test_much_of_one_collection_does_not_hold_up_the_others(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes to another one while an import is sent has its turn after some pages of that."""
    monkeypatch.setattr(relays, "PAGE", 1)
    monkeypatch.setattr(relays, "TURN", 2)
    monkeypatch.setattr(Wake, "changed", {"things", "others"})
    settings = settings_for("enrollment")
    database = connect(settings)
    filled(database)
    second = others(database, "enrollment.events")
    sending = Sending(monkeypatch)

    def another() -> None:
        if len(sending.keys) == 3:
            second.insert(Thing(id="other", colour="red"), change("made"))

    sending.then = another
    with running(Threads(Relay(settings, database, [things(database), second], system_clock))):
        eventually(lambda: unsent_of(database) == {})
    assert sending.keys.index("other") <= 2 * relays.TURN + 1


def test_it_stops_when_told_to_however_much_there_is(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is sent to its end, and no other one."""
    monkeypatch.setattr(relays, "PAGE", 1)
    settings = settings_for("enrollment")
    database = connect(settings)
    filled(database)
    stop, sending = threading.Event(), Sending(monkeypatch)
    sending.then = stop.set
    relay(settings, database).run(stop)
    assert len(sending.keys) <= 2


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
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
