import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from tests.component.sessions.world import START, Trio, World, body
from tests.support import Answer, Client, patiently


def test_a_new_session_is_created_and_shown_in_full(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = str(uuid4())
    written = body(
        pairing,
        summary="Menyusun undangan rapat",
        private_note="perlu contoh lain",
        assessed_level=2,
        actions=[{"text": "tulis ulang alinea kedua", "due_on": "2026-11-09", "done": False}],
    )
    answer = world.by(guide).put(f"/v1/sessions/{id_}", written).expect(201)
    assert answer.headers["Location"] == f"/v1/sessions/{id_}"
    assert answer.version == answer.body["version"] == 1
    assert answer.body == {
        **written,
        "id": id_,
        "guide_id": guide,
        "learner_id": learner,
        "kind": "mentoring",
        "competency": "menyusun-surat-dinas",
        "dispute_reason": None,
        "feedback": None,
        "credit": None,
        "version": 1,
        "effective_at": answer.body["effective_at"],
        "updated_at": answer.body["updated_at"],
    }
    assert world.by(guide).get(f"/v1/sessions/{id_}").expect(200).body == answer.body


def test_equal_content_is_unchanged_whatever_if_match_says(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    world.by(guide).put(path, body(pairing)).expect(201)
    for version in (None, '"1"', '"7"', "1", "*", "draft"):
        said = {"If-Match": version} if version else {}
        assert world.by(guide).put(path, body(pairing), headers=said).expect(200).version == 1
    other_offset = body(pairing, started_at="2026-11-02T09:00:00+07:00", summary=None, actions=[])
    assert world.by(guide).put(path, other_offset).expect(200).version == 1
    left_empty = {**other_offset, "summary": "", "private_note": " "}
    assert world.by(guide).put(path, left_empty).expect(200).version == 1


def test_changed_content_needs_the_version_it_is_based_on(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    world.by(guide).put(path, body(pairing)).expect(201)
    changed = body(pairing, summary="x", private_note="y")
    missing = world.by(guide).put(path, changed).expect(428).body
    assert missing["rule"] == "if-match-required"
    assert missing["current"]["version"] == 1
    assert world.by(guide).put(path, changed, version=1).expect(200).version == 2
    stale = world.by(guide).put(path, body(pairing), version=1).expect(412).body
    assert (stale["rule"], stale["current"]["private_note"]) == ("stale", "y")
    for tag in ("2", "*", '"2", "3"'):
        malformed = world.by(guide).put(path, body(pairing), headers={"If-Match": tag}).expect(412).body
        assert malformed["current"]["version"] == 2
    world.by(guide).put(path, body(pairing, private_note="z", summary="x"), version=2).expect(200)


def test_whether_a_hidden_session_exists_can_not_be_told(world: World, pair: Trio) -> None:
    """A change of it, by any way and on any base, gets the same answer as one of a session that isn't there."""
    guide, _, pairing = pair
    hidden, unknown = str(uuid4()), str(uuid4())
    world.by(guide).put(f"/v1/sessions/{hidden}", body(pairing)).expect(201)
    other = world.employee(), world.employee()
    stranger, own = world.by(other[0]), world.pairing(*other)

    def told(answer: Answer, id_: str) -> tuple[int, str]:
        return answer.status, json.dumps(answer.body).replace(id_, "")

    def answers(id_: str) -> Iterator[tuple[int, str]]:
        for to in (pairing, str(uuid4()), own):
            for version in (1, 7) if to == own else (None, 1, 7):
                yield told(stranger.put(f"/v1/sessions/{id_}", body(to), version=version), id_)
                item = {"id": id_, "base_version": version, **body(to)}
                yield told(sync(stranger, sessions=[item]), id_)
        step = {"to": "cancelled", "reason": "x"}
        yield told(stranger.post(f"/v1/sessions/{id_}/transitions", step), id_)
        yield told(sync(stranger, transitions=[{"id": id_, "base_version": 1, **step}]), id_)

    assert list(answers(hidden)) == list(answers(unknown))
    for tag in ('"1"', "*"):
        world.by(guide).put(f"/v1/sessions/{unknown}", body(pairing), headers={"If-Match": tag}).expect(404)


def sync(client: Client, **queue: Any) -> Answer:
    """The results alone: a cursor has a time in it."""
    answer = client.post("/v1/sync", queue).expect(200)
    return replace(answer, body=answer.body["results"])


def test_an_unknown_pairing_is_to_be_sent_again(world: World) -> None:
    problem = world.by(world.employee()).put(f"/v1/sessions/{uuid4()}", body(str(uuid4()))).expect(409).body
    assert (problem["rule"], problem["retry"]) == ("pairing-unknown", True)


def test_only_the_guide_writes(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    assert world.by(learner).put(path, body(pairing)).expect(409).body["rule"] == "not-the-guide"
    world.by(world.employee()).put(path, body(pairing)).expect(404)
    world.by(guide).put(path, body(pairing)).expect(201)
    assert world.by(learner).put(path, body(pairing)).expect(409).body["rule"] == "not-the-guide"
    world.by(world.employee()).put(path, body(pairing)).expect(404)
    world.by(world.employee(), "hr", "employee").put(path, body(pairing), version=1).expect(409)


def test_refusals_of_the_clock_and_the_records(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    for at, rule in (
        ("2026-11-02T10:06:00Z", "session-in-future"),
        ("2025-01-01T02:00:00Z", "pairing-not-active"),
    ):
        assert world.post_session(guide, pairing, started_at=at).expect(409).body["rule"] == rule


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"minutes": 4}, "/minutes"),
    ({"minutes": 481}, "/minutes"),
    ({"minutes": "60"}, "/minutes"),
    ({"status": "confirmed"}, "/status"),
    ({"assessed_level": 5}, "/assessed_level"),
    ({"started_at": "2026-11-02T09:00:00"}, "/started_at"),
    ({"guide_id": str(uuid4())}, "/guide_id"),
    ({"actions": [{"text": "x"}]}, "/actions/0/done"),
    ({"place": None}, "/place"),
]


def test_what_the_body_alone_shows(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    for changes, pointer in WRONG:
        errors = world.post_session(guide, pairing, **changes).expect(422).body["errors"]
        assert [error["pointer"] for error in errors] == [pointer]


def test_bodies_that_are_no_session(world: World, pair: Trio) -> None:
    path = f"/v1/sessions/{uuid4()}"
    guide = world.by(pair[0])
    assert guide.put(path, raw=b"{", content_type="application/json").status == 400
    assert guide.put(path, raw=b"x" * 1_100_000, content_type="application/json").status == 413
    assert guide.put(path, raw=b"{}", content_type="text/plain").status == 415
    assert guide.put(path, []).status == 422
    assert guide.put("/v1/sessions/no-id", body(pair[2])).status == 404


def test_planned_becomes_held_and_never_goes_back(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    world.by(guide).put(path, body(pairing, status="planned")).expect(201)
    world.by(guide).put(path, body(pairing), version=1).expect(200)
    again = world.by(guide).put(path, body(pairing, status="planned"), version=2).expect(409)
    assert again.body["rule"] == "transition"


# --- nobody sits in two sessions at once


def test_overlaps_of_five_minutes_are_refused_and_of_less_let_pass(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    third = world.employee()
    other = world.pairing(guide, third)
    world.post_session(guide, pairing).expect(201)
    for offset, status in ((55, 409), (56, 201), (-60, 201)):
        answer = world.post_session(guide, other, started_at=START + timedelta(minutes=offset))
        assert answer.status == status, offset


def test_a_person_is_busy_in_whatever_part(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    world.post_session(guide, pairing).expect(201)
    as_guide = world.pairing(learner, world.employee())
    assert world.post_session(learner, as_guide).expect(409).body["rule"] == "session-overlap"


def test_planned_and_cancelled_sessions_leave_the_time_free(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    world.post_session(guide, pairing, status="planned").expect(201)
    held = world.post_session(guide, pairing).expect(201).body["id"]
    world.post_session(guide, pairing).expect(409)
    world.move(guide, held, "cancelled").expect(200)
    world.post_session(guide, pairing).expect(201)
    world.post_session(guide, pairing).expect(409)


def test_a_moved_session_frees_its_time_and_takes_the_new_one(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    world.by(guide).put(path, body(pairing)).expect(201)
    later = START + timedelta(hours=3)
    world.by(guide).put(path, body(pairing, started_at=later), version=1).expect(200)
    world.post_session(guide, pairing).expect(201)
    world.post_session(guide, pairing, started_at=later).expect(409)
    back = world.by(guide).put(path, body(pairing), version=2).expect(409)
    assert back.body["rule"] == "session-overlap"


def test_who_leans_on_anothers_slot_is_still_met_after_that_one_is_gone(world: World, pair: Trio) -> None:
    """A 9:00-9:25 has the slot 9:20 that B (9:21-10:00) wants, too. When A is gone, C (9:20-9:27) must meet B."""
    guide, _, pairing = pair
    a = world.post_session(guide, pairing, minutes=25).expect(201).body["id"]
    world.post_session(guide, pairing, started_at=START + timedelta(minutes=21), minutes=39).expect(201)
    world.move(guide, a, "cancelled").expect(200)
    c = world.post_session(guide, pairing, started_at=START + timedelta(minutes=20), minutes=7)
    assert c.expect(409).body["rule"] == "session-overlap"
    d = world.post_session(guide, pairing, started_at=START + timedelta(minutes=20), minutes=5)
    d.expect(201)


def test_two_hundred_at_the_same_instant_leave_one(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: patiently(lambda: world.post_session(guide, pairing)), range(200)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [201] + [409] * 199
    assert {answer.body["rule"] for answer in answers if answer.status == 409} == {"session-overlap"}


def test_simultaneous_repeats_of_one_session_store_it_once(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    path = f"/v1/sessions/{uuid4()}"
    with ThreadPoolExecutor(16) as pool:
        put = partial(world.by(guide).put, path, body(pairing))
        answers = list(pool.map(lambda _: patiently(put), range(48)))
    assert sorted(answer.status for answer in answers) == [200] * 47 + [201]
    assert {answer.version for answer in answers} == {1}


def test_simultaneous_repeats_of_one_that_leans_on_another_store_it_once(world: World, pair: Trio) -> None:
    """Both the shared slot and the repeat are met on the way, in any order."""
    guide, _, pairing = pair
    world.post_session(guide, pairing).expect(201)
    path, leaning = f"/v1/sessions/{uuid4()}", body(pairing, started_at=START + timedelta(minutes=57))
    with ThreadPoolExecutor(16) as pool:
        put = partial(world.by(guide).put, path, leaning)
        answers = list(pool.map(lambda _: patiently(put), range(32)))
    assert sorted(answer.status for answer in answers) == [200] * 31 + [201]


def test_many_that_lean_on_one_another_at_the_same_instant_are_all_let_pass(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    starts = [START - timedelta(minutes=27 * number) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        posts = [partial(world.post_session, guide, pairing, started_at=at, minutes=30) for at in starts]
        answers = list(pool.map(patiently, posts))
    assert [answer.status for answer in answers] == [201] * 12
