"""From a stored change through Kafka to a handler: nothing lost, nothing in the way."""

import threading
import uuid
from functools import partial
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from pymongo.database import Database

from infra.clock import system_clock
from infra.messaging import consumer as consuming
from infra.messaging import deadletters, kafka
from infra.messaging.consumer import Consumer, Progress
from infra.messaging.envelope import Event, to_headers
from infra.messaging.relay import Relay
from infra.messaging.subscription import BatchHandler, dispatch, on
from infra.messaging.topics import ensure_topics, full_name
from infra.messaging.unsent import UNSENT, resend
from infra.settings import Settings
from infra.storage.copies import Copies
from infra.storage.mongo import Document, connect
from tests.component.infra.things import NOON, Thing, Threads, change, patient_producer, things
from tests.conftest import SettingsFor
from tests.support import eventually, running


class Seen(msgspec.Struct, frozen=True):
    """The reader's own, smaller view of a thing."""

    colour: str


ROUNDS = 5
"""The more there are, the likelier a poll ends at the wrong moment in one of them."""

NONSENSE = (b"\xff not json", [("ce_type", b"nonsense")])


def relay(settings: Settings, database: Database[Document]) -> Relay:
    return Relay(settings, database, [things(database)], system_clock)


def consumer(settings: Settings, handler: BatchHandler, **options: Any) -> Consumer:
    return Consumer(settings, "readers", ["enrollment.events"], handler, system_clock, **options)


def put_raw(settings: Settings, *records: tuple[bytes, list[tuple[str, bytes]]], key: bytes = b"k") -> None:
    """Values with their headers, all of them into the partition of the key."""
    ensure_topics(settings)
    producer = patient_producer(settings)
    for value, headers in records:
        producer.send(full_name(settings, "enrollment.events"), value=value, key=key, headers=headers)
    producer.flush()
    producer.close()


def good(number: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """An event that can be handled."""
    event = {"id": str(number), "type": "thing.made", "seq": number, "time": NOON, "effective_at": NOON}
    return b'{"colour":"red"}', to_headers(event, source="enrollment", subject="a", key=b"k")


def test_every_change_arrives_in_order(settings_for: SettingsFor) -> None:
    """All events of one aggregate come, in the order of their seq, and the document is marked as sent."""
    settings = settings_for("enrollment")
    database = connect(settings)
    repository = things(database)
    got: list[Event] = []
    with running(Threads(relay(settings, database), consumer(settings, got.extend))):
        stored = repository.insert(Thing(id="a", colour="0"), change("made"))
        for number in range(1, 30):
            stored = repository.replace(stored, Thing(id="a", colour=str(number)), change("painted"))
        eventually(lambda: {event.seq for event in got} >= set(range(1, 31)))
        eventually(lambda: (database["things"].find_one({"_id": "a"}) or {}).get("sent") == 30)
    seqs = [event.seq for event in got]
    assert sorted(set(seqs)) == list(range(1, 31))
    assert "unsent" not in (database["things"].find_one({"_id": "a"}) or {})
    assert {event.data["colour"] for event in got} == {str(number) for number in range(30)}


def test_a_thousand_aggregates_arrive(settings_for: SettingsFor) -> None:
    """More than one page goes out, each exactly into the copy of its reader."""
    settings = settings_for("enrollment")
    database = connect(settings)
    copies = Copies(database["copies"])

    def copy(batch: list[tuple[Event, Seen]]) -> None:
        copies.apply(batch, lambda event, seen: {"colour": seen.colour})

    with running(Threads(relay(settings, database), consumer(settings, dispatch([on("thing", Seen, copy)])))):
        things(database).insert_many(
            [(Thing(id=str(number), colour="red"), change("made"), None) for number in range(1300)]
        )
        eventually(lambda: database["copies"].count_documents({"colour": "red"}) == 1300)
        eventually(lambda: database["things"].count_documents({"unsent": {"$exists": True}}) == 0)


def test_an_older_event_never_overwrites_a_newer_copy(settings_for: SettingsFor) -> None:
    """Everything is sent again, out of order as it may be: the copies stay as they are."""
    settings = settings_for("enrollment")
    database = connect(settings)
    copies = Copies(database["copies"])
    seen: list[int] = []

    def copy(batch: list[tuple[Event, Seen]]) -> None:
        seen.extend(event.seq for event, _ in batch)
        copies.apply(batch, lambda event, data: {"colour": data.colour})

    repository = things(database)
    with running(Threads(relay(settings, database), consumer(settings, dispatch([on("thing", Seen, copy)])))):
        stored = repository.insert(Thing(id="a", colour="red"), change("made"))
        repository.replace(stored, Thing(id="a", colour="blue"), change("painted"))
        eventually(lambda: 2 in seen)
        # Else the advance of the first time might still come, and take the mark of the second away.
        eventually(lambda: database["things"].count_documents(UNSENT) == 0)
        assert resend(repository, {}, system_clock) == 1
        eventually(lambda: seen.count(1) >= 2 and seen.count(2) >= 2)
    assert database["copies"].find_one({"_id": "a"}) == {"_id": "a", "seq": 2, "colour": "blue"}


def test_a_member_that_looks_away_while_it_joins_is_given_its_partitions(settings_for: SettingsFor) -> None:
    """Its polls end between the answers that it needs: it goes on with the join that is under way."""
    settings = settings_for("enrollment")
    ensure_topics(settings)
    member = _member(settings)
    eventually(partial(_has_partitions, member, 200))
    coordinator = member._coordinator
    for _ in range(ROUNDS):
        # As if it had learned of partitions since it shared them out: it joins once more.
        coordinator._assignment_snapshot = {}
        eventually(partial(_looks_briefly, member), interval=0.001)
        eventually(lambda: _has_partitions(member, 200) and not coordinator.rejoining)
    kafka.leave(settings, member)


def _looks_briefly(member: KafkaConsumer) -> bool:
    """Whether it has shared the partitions out."""
    kafka.poll(member, timeout_ms=1)
    return bool(member._coordinator._assignment_snapshot)


def test_a_member_that_goes_while_another_joins_is_not_waited_for(settings_for: SettingsFor) -> None:
    """The one that shares out partitions goes before the other has got any: that one gets all of them."""
    settings = settings_for("enrollment")
    ensure_topics(settings)
    first, second = _member(settings), _member(settings)
    eventually(partial(_has_partitions, first, 200))
    kafka.poll(second, timeout_ms=500)
    kafka.leave(settings, first)
    eventually(partial(_has_partitions, second, 200))
    kafka.leave(settings, second)


def test_a_producer_that_can_not_finish_ends_all_the_same(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay starts another one each time: threads and connections that stay would use up what it may have."""
    producer = kafka.producer(settings_for("enrollment"))

    def never(timeout: float) -> None:
        raise KafkaTimeoutError

    monkeypatch.setattr(producer, "flush", never)
    kafka.end(producer)
    eventually(lambda: not producer._sender.is_alive())


def _member(settings: Settings) -> KafkaConsumer:
    member = kafka.consumer(settings, kafka.group_name(settings, "readers", "any"))
    member.subscribe([full_name(settings, "enrollment.events")])
    return member


def _has_partitions(member: KafkaConsumer, timeout_ms: int) -> bool:
    kafka.poll(member, timeout_ms=timeout_ms)
    return bool(member.assignment())


def test_rubbish_goes_to_the_dead_letters_and_the_next_is_handled(settings_for: SettingsFor) -> None:
    """What can't be read is kept whole with a reason that quotes nothing, and can be sent again."""
    settings = settings_for("enrollment")
    database = connect(settings)
    got: list[str] = []

    def handle(batch: list[tuple[Event, Seen]]) -> None:
        got.extend(seen.colour for _, seen in batch)

    put_raw(settings, NONSENSE)
    with running(Threads(relay(settings, database), consumer(settings, dispatch([on("thing", Seen, handle)])))):
        things(database).insert(Thing(id="a", colour="red"), change("made"))
        eventually(lambda: "red" in got)
        letters = eventually(lambda: list(deadletters.read_all(settings, "readers")))
    (letter,) = letters
    assert (letter.value, letter.key, letter.type) == (b"\xff not json", b"k", "nonsense")
    assert letter.reason == "specversion is not 1.0"
    assert deadletters.send_again(settings, letters) == []


def test_one_bad_event_among_many_makes_few_parts_of_them(settings_for: SettingsFor) -> None:
    """Those before and behind it are handled in their order, and nearly all of them in company."""
    settings = settings_for("enrollment")
    parts: list[list[int]] = []

    def handle(batch: list[tuple[Event, Seen]]) -> None:
        parts.append([event.seq for event, _ in batch])

    put_raw(settings, *map(good, range(1000)), NONSENSE, *map(good, range(1000, 2000)))
    with running(Threads(consumer(settings, dispatch([on("thing", Seen, handle)])))):
        eventually(lambda: parts and parts[-1][-1] == 1999)
    assert list(dict.fromkeys(seq for part in parts for seq in part)) == list(range(2000))
    assert len(parts) < 200
    assert len(list(deadletters.read_all(settings, "readers"))) == 1


def test_many_events_are_handled_side_by_side(settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database works for some partitions, another one goes on; those of one partition stay together."""
    monkeypatch.setattr(consuming, "LOT_EVENTS", 10)
    settings = settings_for("enrollment")
    repository = things(connect(settings))
    busy: set[int] = set()
    two_at_once = threading.Event()

    def handle(events: list[Event]) -> None:
        partitions = {event.partition for event in events}
        assert not partitions & busy
        busy.update(partitions)
        if busy > partitions:
            two_at_once.set()
        two_at_once.wait(0.2)
        busy.difference_update(partitions)

    def more_events() -> bool:
        many = [Thing(id=str(uuid.uuid4()), colour="red", owner=str(number)) for number in range(40)]
        repository.insert_many([(thing, change("made"), None) for thing in many])
        return two_at_once.wait(0.2)

    with running(Threads(relay(settings, repository.collection.database), consumer(settings, handle))):
        eventually(more_events)


def test_a_failure_that_stays_ends_as_a_dead_letter(settings_for: SettingsFor) -> None:
    """Its tries used up, the event is set aside, with the kind of error as the reason and none of its text."""
    settings = settings_for("enrollment")
    database = connect(settings)
    got: list[str] = []

    def handle(batch: list[tuple[Event, Seen]]) -> None:
        for event, seen in batch:
            if event.subject == "bad":
                raise ValueError("Budi Santoso")
            got.append(seen.colour)

    with running(Threads(relay(settings, database), consumer(settings, dispatch([on("thing", Seen, handle)])))):
        repository = things(database)
        repository.insert(Thing(id="bad", colour="black"), change("made"))
        repository.insert(Thing(id="good", colour="white"), change("made"))
        letters = eventually(lambda: list(deadletters.read_all(settings, "readers")))
        eventually(lambda: "white" in got)
    assert [letter.reason for letter in letters] == ["ValueError"]


def test_progress_is_told(settings_for: SettingsFor) -> None:
    """Once all is handled nothing is behind in any partition, and the last event's time is known."""
    settings = settings_for("enrollment")
    database = connect(settings)
    told: list[list[Progress]] = []
    reader = consumer(settings, lambda events: None, observe=told.append)
    with running(Threads(relay(settings, database), reader)):
        things(database).insert(Thing(id="a", colour="red"), change("made"))

        def done() -> bool:
            latest = told[-1] if told else []
            whole = len(latest) == settings.partitions and all(each.behind == 0 for each in latest)
            return whole and any(each.last_event_at for each in latest)

        eventually(done)


def test_an_event_that_is_too_large_stops_no_other(settings_for: SettingsFor) -> None:
    """It stays marked as unsent, for later and with an alarm; the others go out."""
    settings = settings_for("enrollment")
    database = connect(settings)
    got: list[str] = []
    reader = consumer(settings, lambda events: got.extend(event.subject for event in events))
    with running(Threads(relay(settings, database), reader)):
        repository = things(database)
        repository.insert(Thing(id="large", colour="x" * 2_000_000), change("made"))
        repository.insert(Thing(id="small", colour="red"), change("made"))
        eventually(lambda: "small" in got)
        eventually(lambda: database["things"].count_documents({"unsent": {"$exists": True}}) == 1)
    large = database["things"].find_one({"_id": "large"}) or {}
    assert large["sent"] == 0
    assert large["unsent"]["at"] > NOON
