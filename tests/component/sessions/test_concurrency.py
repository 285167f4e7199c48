"""Whatever happens at the same instant, no rule is broken."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest

from infra.storage.aggregates import Stored
from services.sessions.commands.settling import month_around
from services.sessions.domain.credit import DEFAULT_TABLE, worths
from services.sessions.domain.session import Session
from services.sessions.domain.slots import clashes, slots_of
from tests.component.sessions.world import START, World, body
from tests.support import patiently


@pytest.fixture
def world(own_world: World) -> World:
    """These tests look at everything that is stored."""
    return own_world


def all_sessions(world: World) -> list[Stored[Session]]:
    return world.store.sessions.find({})


def check_rules(world: World) -> None:
    """What must hold at any time: no clash, each slot had by somebody, credit and questions as a recount says."""
    stored = all_sessions(world)
    states = [one.state for one in stored]
    assert not [(one.id, other.id) for one, other in combinations(states, 2) if clashes(one, other)]
    had = [slot for one in stored for slot in one.extra.get("slots", ())]
    assert len(had) == len(set(had))
    assert {slot for state in states for slot in slots_of(state)} <= set(had)
    months: dict[tuple[str, str, Any], list[Session]] = {}
    for one in states:
        if one.status == "confirmed":
            months.setdefault((one.learner_id, one.kind, month_around(one.started_at)), []).append(one)
    wanted = {id_: worth for group in months.values() for id_, worth in worths(group, DEFAULT_TABLE).items()}
    credits_ = [one.state for one in world.store.credits.find({})]
    assert {one.session_id: (one.jp, one.rule) for one in credits_ if one.stands} == {
        id_: (worth.jp, worth.rule) for id_, worth in wanted.items()
    }
    open_requests = [one.state for one in world.store.endorsements.find({"state": "open"})]
    assert len({one.pairing_id for one in open_requests}) == len(open_requests)
    confirmed = {one.id for one in states if one.status == "confirmed"}
    assert {one.session_id for one in open_requests} <= confirmed


def test_confirmations_at_the_same_instant_keep_the_cap_and_ask_once(world: World) -> None:
    boss = world.employee()
    guide, learner = world.employee(), world.employee(boss)
    pairing = world.pairing(guide, learner)
    world.clock.tick(days=20)
    ids = [
        world.post_session(guide, pairing, started_at=START + timedelta(days=number), assessed_level=3).body["id"]
        for number in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda id_: patiently(lambda: world.move(learner, id_, "confirmed")), ids * 2))
    assert {answer.status for answer in answers} == {200}
    check_rules(world)
    total = world.by(learner).get(f"/v1/employees/{learner}/credits").body["total"]
    assert total == 4
    assert len(world.store.endorsements.find({})) == 1


def test_a_confirmation_and_a_correction_at_the_same_instant_never_confirm_what_was_not_seen(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    pairing = world.pairing(guide, learner)
    for hours in range(0, 20, 2):
        at = START - timedelta(hours=hours)
        id_ = world.post_session(guide, pairing, started_at=at).expect(201).body["id"]
        corrected = body(pairing, started_at=at, minutes=90)
        with ThreadPoolExecutor(2) as pool:
            confirmed = pool.submit(patiently, partial(world.move, learner, id_, "confirmed", version=1))
            put = partial(world.by(guide).put, f"/v1/sessions/{id_}", corrected, version=1)
            changed = pool.submit(patiently, put)
        assert sorted((confirmed.result().status, changed.result().status)) == [200, 412]
        status = world.by(guide).get(f"/v1/sessions/{id_}").body["status"]
        assert status == ("confirmed" if confirmed.result().status == 200 else "held")
    check_rules(world)


def test_a_storm_of_writes_breaks_no_rule(world: World) -> None:
    """Guides and learners of crossing pairings write, move, confirm, dispute, cancel and sync all at once."""
    seed = random.randrange(10**6)
    boss = world.employee()
    people = [world.employee(boss) for _ in range(4)]
    pairings = [
        (one, two, world.pairing(one, two)) for one, two in zip(people, people[1:] + people[:1], strict=True)
    ]
    ids = [(pairing, str(uuid4())) for pairing in pairings for _ in range(6)]
    steps = ("confirmed", "disputed", "cancelled")

    def one_caller(number: int) -> list[int]:
        dice = random.Random(seed + number)
        return [one_call(dice) for _ in range(25)]

    def one_call(dice: random.Random) -> int:
        (guide, learner, pairing), id_ = dice.choice(ids)
        at = START + timedelta(minutes=dice.randrange(0, 300, 3))
        written = body(pairing, started_at=at, minutes=dice.choice((5, 25, 31, 60)), assessed_level=3)
        stored = world.store.sessions.get(id_)
        version = stored.version if stored and dice.random() < 0.8 else None
        match dice.randrange(4):
            case 0:
                queue = [{"id": id_, "base_version": version, **written}, {"id": str(uuid4()), **written}]
                return patiently(lambda: world.by(guide).post("/v1/sync", {"sessions": queue})).status
            case 1:
                put = partial(world.by(guide).put, f"/v1/sessions/{id_}", written, version=version)
                return patiently(put).status
            case _:
                to = dice.choice(steps)
                who = guide if to == "cancelled" else learner
                return patiently(partial(world.move, who, id_, to, reason="keliru")).status

    with ThreadPoolExecutor(6) as pool:
        statuses = [status for found in pool.map(one_caller, range(6)) for status in found]
    assert set(statuses) <= {200, 201, 404, 409, 412, 428}, seed
    check_rules(world)
    # Twelve in the mean; a storm in which as good as nothing is stored would prove nothing.
    assert len([one for one in all_sessions(world) if one.state.counting]) > 2, seed
