"""The worker on a real broker: what enrollment says comes in, what happens here goes out."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.messaging import deadletters, kafka
from infra.messaging.envelope import Event, decode, to_headers
from infra.messaging.topics import ensure_topics, full_name, partitions_of
from infra.settings import Settings
from services.sessions import app
from services.sessions.events import PUBLISHED
from tests.component.infra.things import patient_producer
from tests.component.sessions.world import World, body
from tests.support import eventually, running

SECRETS = (b"rahasia", b"Warji", b"surat undangan", b"terlalu cepat", b"belum rapi", b"keliru")


@pytest.fixture
def world(own_world: World) -> World:
    """These tests look at everything that is stored."""
    return own_world


def publish(settings: Settings, events: Iterable[Event]) -> None:
    """As enrollment's relay does it."""
    ensure_topics(settings)
    producer = patient_producer(settings)
    for event in events:
        fields = {name: getattr(event, name) for name in ("id", "type", "time", "effective_at", "seq")}
        producer.send(
            full_name(settings, event.topic),
            value=event.body,
            key=event.key.encode(),
            headers=to_headers(fields, source="enrollment", subject=event.subject, key=event.key.encode()),
        )
    producer.flush()
    producer.close()


def read(settings: Settings, count: int) -> list[Any]:
    """That many records of this service's topic."""
    consumer = kafka.consumer(settings, None)
    consumer.assign(partitions_of(settings, "sessions.events"))
    found: list[Any] = []
    try:

        def enough() -> bool:
            for records in consumer.poll(timeout_ms=200).values():
                found.extend(records)
            return len(found) >= count

        eventually(enough)
    finally:
        consumer.close(autocommit=False)
    return found


def test_from_enrollments_topic_to_a_confirmed_session_in_ours(world: World) -> None:
    """The whole way, with a restart in between: nothing is lost, ids and codes alone go out."""
    settings = world.settings
    boss = world.employee()
    guide, learner = world.employee(boss), world.employee(boss)
    pairing = world.pairing(guide, learner)
    world.tell("person.changed", {"id": guide, "name": "Warji", "email": None}, guide)
    world.store.database.client.drop_database(world.store.database.name)
    with running(app.worker(settings, world.clock)):
        publish(settings, world.told)
        eventually(lambda: world.store.pairing(pairing))
        eventually(lambda: world.store.names([guide]))
        eventually(lambda: len(world.store.chain(learner, world.clock())) == 1)
        written = body(pairing, assessed_level=3, private_note="rahasia", summary="surat undangan")
        id_ = "00000000-0000-4000-8000-00000000000a"
        world.by(guide).put(f"/v1/sessions/{id_}", written).expect(201)
        world.move(learner, id_, "disputed", reason="keliru").expect(200)
        world.by(guide).put(f"/v1/sessions/{id_}", {**written, "minutes": 45}, version=2).expect(200)
    feedback = {"rating": 2, "comment": "terlalu cepat"}
    world.move(learner, id_, "confirmed", feedback=feedback).expect(200)
    with running(app.worker(settings, world.clock)):
        (request,) = world.by(boss).get("/v1/endorsements").expect(200).body["items"]
        path = f"/v1/endorsements/{request['id']}/transitions"
        world.by(boss).post(path, {"to": "declined", "reason": "belum rapi"}).expect(200)
        records = read(settings, 9)
    events = [decode(record.headers, record.key, record.value) for record in records]
    assert sorted(f"{event.type}.v{event.version}" for event in events) == [
        "credit.granted.v1",
        "endorsement.declined.v1",
        "endorsement.declined.v2",
        "endorsement.opened.v1",
        "endorsement.opened.v2",
        "session.confirmed.v1",
        "session.disputed.v1",
        "session.held.v1",
        "session.held.v1",
    ]
    assert len({event.id for event in events}) == 7
    assert {event.key for event in events} == {learner}
    assert len({record.partition for record in records}) == 1
    schemas = {(each.type, each.version): each.schema for each in PUBLISHED}
    for event, record in zip(events, records, strict=True):
        assert not schemas[event.type, event.version].validate(event.data)
        whole = record.value + b"".join(value for _, value in record.headers)
        assert not any(secret in whole for secret in SECRETS)
    sessions = [event.seq for event in events if event.aggregate == "session"]
    assert sessions == [1, 2, 3, 4]


def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_next_one_is_handled(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    pairing = world.pairing(guide, learner)
    told = world.told[-1]
    world.store.database.client.drop_database(world.store.database.name)
    broken = msgspec.structs.replace(told, body=b'{"id": "Warji", "kind": 7}', seq=9)
    unheard = msgspec.structs.replace(told, type="sunrise.seen")
    with running(app.worker(world.settings, world.clock)):
        publish(world.settings, [broken, unheard, told])
        eventually(lambda: world.store.pairing(pairing))
        letters = eventually(lambda: list(deadletters.read_all(world.settings, app.SERVICE)))
    assert len(letters) == 1
    assert "Warji" not in letters[0].reason


def test_an_open_question_finds_a_supervisor_whose_event_did_not_find_it(world: World) -> None:
    """One in the chain who was never asked is back in service; a placement came while the question was asked."""
    top = world.employee()
    boss = world.employee(top, active=False)
    guide, learner = world.employee(), world.employee(boss)
    world.confirmed(guide, learner, world.pairing(guide, learner), assessed_level=3)

    def asked() -> str | None:
        (question,) = world.store.endorsements.find({"learner_id": learner})
        return question.state.endorser_id

    assert asked() == top
    world.employee(top, id_=boss)
    assert asked() == top
    with running(app.worker(world.settings, world.clock)):
        eventually(lambda: asked() == boss)
        another = world.employee()
        placed = world.store.employees.collection.find_one({"_id": learner}) or {}
        placed["history"][-1]["supervisor_id"] = another
        world.store.employees.collection.replace_one({"_id": learner}, placed)
        # The timer is set after the question: from a clock that had moved on already it would never be due.
        timers = world.store.timers.collection
        eventually(lambda: timers.find_one({"at": {"$gt": world.clock() + timedelta(minutes=4)}}))
        world.clock.tick(minutes=6)
        eventually(lambda: asked() == another)


def test_each_published_event_has_a_sample_with_exactly_its_fields() -> None:
    folder = Path(app.__file__).parent / "samples"
    for each in PUBLISHED:
        sample = msgspec.json.decode((folder / f"{each.name}.json").read_bytes())
        assert sample["type"] == each.full_type
        assert set(sample["data"]) == set(each.schema.fields)
        assert not each.schema.validate(sample["data"])
