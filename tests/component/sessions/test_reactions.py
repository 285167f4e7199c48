"""Enrollment's events in any order, more than once, and late."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo.errors import AutoReconnect

from infra.clock import to_wire
from infra.messaging.envelope import decode
from services.sessions.commands.endorsements import Endorsements
from services.sessions.domain.copies import Employee, Pairing, Participation
from services.sessions.events import BatchSeen, PersonSeen
from services.sessions.store import Store
from tests.component.sessions.world import LONG_AGO, World

SAMPLES = Path(__file__).parents[3] / "services" / "enrollment" / "samples"
READERS: dict[str, type[Any]] = {
    "pairing": Pairing,
    "employee": Employee,
    "participant": Participation,
    "batch": BatchSeen,
    "person": PersonSeen,
}


@pytest.fixture
def world(own_world: World) -> World:
    """These tests look at everything that is stored."""
    return own_world


def certified(world: World, learner: str, state: str = "certified") -> None:
    part = {
        "id": "p1",
        "batch_id": "b1",
        "employee_id": learner,
        "state": state,
        "certified_at": "2016-05-19T10:00:00Z",
    }
    world.tell(f"participant.{state}", part, "p1")


def credits_of(world: World, learner: str) -> list[tuple[int, str | None, int]]:
    rows = world.store.credits.find({"learner_id": learner}, sort=[("on", 1)])
    return [(stored.state.jp, stored.state.rule, stored.version) for stored in rows]


def test_every_sample_that_enrollment_ever_published_is_read() -> None:
    seen = set()
    for path in sorted(SAMPLES.glob("*.json")):
        event = decode([("content-type", b"application/cloudevents+json")], b"x", path.read_bytes())
        if event.aggregate in READERS and event.body is not None:
            data = msgspec.json.decode(event.body, type=READERS[event.aggregate])
            assert data.id == event.subject
            seen.add(event.aggregate)
    assert seen == set(READERS)


def test_a_late_event_does_not_turn_a_pairing_back(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    pairing = world.pairing(guide, learner)
    ended = world.pairing(guide, learner, id_=pairing, state="ended")
    assert ended == pairing
    world.handle(world.told[::-1])
    kept = world.store.pairing(pairing)
    assert kept is not None
    assert kept.state == "ended"


def test_a_session_waits_on_the_phone_until_its_pairing_has_arrived(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    pairing = "00000000-0000-4000-8000-000000000001"
    assert world.post_session(guide, pairing).expect(409).body["retry"] is True
    world.pairing(guide, learner, id_=pairing)
    world.post_session(guide, pairing).expect(201)


def test_a_session_may_be_sent_again_while_the_second_consent_is_on_its_way(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    proposed = [{"state": "proposed", "at": to_wire(LONG_AGO)}]
    pairing = world.pairing(guide, learner, state="proposed", history=proposed)
    refused = world.post_session(guide, pairing).expect(409).body
    assert (refused["rule"], refused["retry"]) == ("pairing-not-active", True)
    world.pairing(guide, learner, id_=pairing)
    world.post_session(guide, pairing).expect(201)
    world.pairing(guide, learner, id_=pairing, state="ended")
    refused = world.post_session(guide, pairing, started_at=world.clock()).expect(409).body
    assert (refused["rule"], "retry" in refused) == ("pairing-not-active", False)


def test_supervisors_who_seem_to_supervise_each_other_end_no_chain_in_a_circle(world: World) -> None:
    boss = world.employee()
    learner = world.employee(boss)
    world.employee(learner, id_=boss)
    assert [one.id for one in world.store.chain(learner, world.clock())] == [boss]


def test_a_question_that_cannot_be_handed_on_keeps_no_other_waiting(world: World) -> None:
    """What is known of the first learner can't be read; the other one has a new supervisor."""
    boss = world.employee()
    learners = [world.employee(boss) for _ in range(2)]
    for learner in learners:
        guide = world.employee()
        world.confirmed(guide, learner, world.pairing(guide, learner), assessed_level=3)
    successor, employees = world.employee(), world.store.employees.collection
    employees.update_one({"_id": learners[0]}, {"$set": {"history": 7}})
    employees.update_one({"_id": learners[1]}, {"$set": {"history.0.supervisor_id": successor}})
    Endorsements(world.store, world.clock).follow_all()
    asked = [world.store.endorsements.find({"learner_id": learner})[0].state.endorser_id for learner in learners]
    assert asked == [boss, successor]


def test_questions_wait_for_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all looked at again when it is back, in a minute rather than five."""
    guide, learner = world.employee(), world.employee()
    world.confirmed(guide, learner, world.pairing(guide, learner), assessed_level=3)

    def away(*_: object) -> None:
        raise AutoReconnect("away")

    monkeypatch.setattr(Store, "chain", away)
    with pytest.raises(AutoReconnect):
        Endorsements(world.store, world.clock).follow_all()


def test_a_certificate_is_credited_once_whichever_event_comes_first(world: World) -> None:
    learner = world.employee()
    certified(world, learner)
    assert credits_of(world, learner) == []
    world.tell("batch.created", {"id": "b1", "jp": 30}, "b1")
    assert credits_of(world, learner) == [(30, None, 1)]
    world.handle(world.told * 2)
    assert credits_of(world, learner) == [(30, None, 1)]
    credit = world.store.credits.find({"learner_id": learner})[0].state
    assert (credit.source, credit.batch_id, credit.on.isoformat()) == ("certification", "b1", "2016-05-19")


def test_a_certificate_that_is_taken_back_earns_nothing_any_more(world: World) -> None:
    learner = world.employee()
    world.tell("batch.created", {"id": "b1", "jp": 30}, "b1")
    certified(world, learner)
    certified(world, learner, "withdrawn")
    assert credits_of(world, learner) == [(0, "not-certified", 2)]
    certified(world, learner)
    assert credits_of(world, learner) == [(30, None, 3)]


def test_shuffled_and_repeated_events_leave_the_same(world: World) -> None:
    """Everything enrollment said, in any order, twice: the same copies, the same credits, no new events."""
    boss, second = world.employee(), world.employee()
    guide, learner = world.employee(boss), world.employee(boss)
    pairing = world.pairing(guide, learner)
    world.tell("person.changed", {"id": guide, "name": "Warji", "email": None}, guide)
    world.tell("batch.created", {"id": "b1", "jp": 30}, "b1")
    certified(world, learner)
    world.confirmed(guide, learner, pairing, assessed_level=3)
    world.employee(second, id_=learner)
    world.pairing(guide, learner, id_=pairing, state="completed")

    def state() -> list[Any]:
        found = [list(each.collection.find({}, {"changed": 0})) for each in world.store.aggregates]
        copies = (world.store.pairings, world.store.employees, world.store.people)
        return [*found, *(list(each.collection.find({}, {"changed": 0})) for each in copies)]

    before = state()
    for seed in range(3):
        events = world.told * 2
        random.Random(seed).shuffle(events)
        world.handle(events)
        assert state() == before


def test_sync_tells_of_a_pairing_that_changed(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    pairing = world.pairing(guide, learner)
    cursor = world.by(guide).post("/v1/sync", {}).body["cursor"]
    world.pairing(guide, learner, id_=pairing, state="ended")
    (change,) = world.by(guide).post("/v1/sync", {"cursor": cursor}).body["changes"]
    assert (change["type"], change["data"]["state"], change["data"]["version"]) == ("pairing", "ended", 2)
    stamps = [row["changed"].time for row in world.store.pairings.collection.find({})]
    assert all(stamp > 1_600_000_000 for stamp in stamps), "the server's own time, on insert and on replace"
