from datetime import timedelta
from typing import Any

import pytest

from tests.component.sessions.world import START, Trio, World, body
from tests.support import Answer


def credits_of(world: World, person: str) -> dict[str, Any]:
    found: dict[str, Any] = world.by(person).get(f"/v1/employees/{person}/credits").expect(200).body
    return found


def test_a_confirmation_answers_with_its_credit_at_once(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    answer = world.move(learner, id_, "confirmed", feedback={"rating": 5, "comment": "jelas"}).expect(200)
    assert answer.body["status"] == "confirmed"
    assert answer.body["credit"] == {"jp": 2, "rule": None, "why": None}
    assert answer.body["feedback"] == {"rating": 5, "comment": "jelas"}
    assert answer.version == 2
    assert credits_of(world, learner)["total"] == 2


def test_ones_own_last_step_again_changes_nothing(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    for _ in range(3):
        assert world.move(learner, id_, "confirmed").expect(200).version == 2
    assert world.move(learner, id_, "confirmed", version=1).expect(200).version == 2
    assert world.move(guide, id_, "confirmed").expect(409).body["rule"] == "transition"


def test_a_confirmation_of_what_one_has_not_seen_is_stale(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    world.by(guide).put(f"/v1/sessions/{id_}", body(pairing, minutes=90), version=1).expect(200)
    stale = world.move(learner, id_, "confirmed", version=1).expect(412).body
    assert stale["current"]["minutes"] == 90
    world.move(learner, id_, "confirmed", version=2).expect(200)


def test_a_dispute_needs_a_reason_and_the_guides_correction_answers_it(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    refused = world.move(learner, id_, "disputed").expect(422).body
    assert refused["errors"][0]["pointer"] == "/reason"
    disputed = world.move(learner, id_, "disputed", reason="hanya setengah jam").expect(200)
    assert disputed.body["dispute_reason"] == "hanya setengah jam"
    corrected = world.by(guide).put(f"/v1/sessions/{id_}", body(pairing, minutes=30), version=2).expect(200)
    assert (corrected.body["status"], corrected.body["dispute_reason"]) == ("held", None)
    world.move(learner, id_, "confirmed").expect(200)


def test_hr_decides_a_dispute_and_may_date_it(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    hr = world.employee()
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    world.clock.tick(hours=1)
    disputed = world.move(learner, id_, "disputed", reason="keliru").expect(200).body
    world.move(guide, id_, "held").expect(403)
    early = "2026-11-02T03:00:00Z"
    assert world.move(hr, id_, "held", "hr", effective_at=early).expect(409).body["rule"] == "effective-order"
    world.clock.tick(hours=1)
    at = disputed["effective_at"]
    world.move(guide, id_, "cancelled", effective_at=at).expect(403)
    later = "2026-12-02T03:00:00Z"
    world.move(hr, id_, "held", "hr", effective_at=later).expect(409)
    held = world.move(hr, id_, "held", "hr", effective_at=at, reason="saksi ada").expect(200)
    assert (held.body["status"], held.body["effective_at"]) == ("held", at)
    entries = world.by(learner).get(f"/v1/sessions/{id_}/activity").expect(200).body["items"]
    assert [entry["what"] for entry in entries] == ["session.held", "session.disputed", "session.held"]
    assert [entry["note"] for entry in entries] == [None, "keliru", "saksi ada"]
    assert entries[2]["who"] == hr


def test_a_changed_confirmation_is_held_again_and_its_credit_is_gone(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.confirmed(guide, learner, pairing)
    path = f"/v1/sessions/{id_}"
    kept = world.by(guide).put(path, body(pairing, summary="surat tugas"), version=2).expect(200)
    assert (kept.body["status"], kept.body["credit"]["jp"]) == ("confirmed", 2)
    lost = world.by(guide).put(path, body(pairing, summary="surat tugas", minutes=20), version=3).expect(200)
    assert (lost.body["status"], lost.body["credit"]) == ("held", None)
    assert credits_of(world, learner)["items"] == []
    short = world.move(learner, id_, "confirmed").expect(200).body["credit"]
    assert (short["jp"], short["rule"]) == (0, "too-short")
    assert "30" in short["why"]


def test_the_months_places_go_in_the_order_of_the_start_whoever_confirms_first(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    world.clock.tick(days=10)
    starts = [START + timedelta(days=number) for number in (3, 1, 2, 0)]
    ids = [world.confirmed(guide, learner, pairing, started_at=start) for start in starts]
    found = {item["session_id"]: (item["jp"], item["rule"]) for item in credits_of(world, learner)["items"]}
    assert [found[id_] for id_ in ids] == [(0, "over-cap"), (2, None), (0, "over-cap"), (2, None)]
    world.by(guide).put(f"/v1/sessions/{ids[3]}", body(pairing, minutes=61), version=2).expect(200)
    moved_up = world.by(learner).get(f"/v1/sessions/{ids[2]}").expect(200).body["credit"]
    assert moved_up == {"jp": 2, "rule": None, "why": None}
    english = world.by(learner).get(f"/v1/sessions/{ids[0]}", language="en").body["credit"]
    assert english["why"] == "2 activities were credited in that month already."


def test_a_session_that_moves_to_another_month_frees_its_place(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    october = START - timedelta(days=10)
    ids = [
        world.confirmed(guide, learner, pairing, started_at=october - timedelta(days=number))
        for number in range(3)
    ]
    assert credits_of(world, learner)["total"] == 4
    moved = body(pairing, started_at=START)
    world.by(guide).put(f"/v1/sessions/{ids[2]}", moved, version=2).expect(200)
    world.move(learner, ids[2], "confirmed").expect(200)
    assert credits_of(world, learner)["total"] == 6


# --- mastery


@pytest.fixture
def office(world: World) -> dict[str, str]:
    """Guide and learner under one supervisor, who has one above."""
    head = world.employee()
    boss = world.employee(head)
    guide, learner = world.employee(boss), world.employee(boss)
    return {
        "head": head,
        "boss": boss,
        "guide": guide,
        "learner": learner,
        "pairing": world.pairing(guide, learner),
        "hr": world.employee(),
    }


def open_requests(world: World, person: str, *roles: str, state: str = "open") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        world.by(person, *roles).get(f"/v1/endorsements?state={state}").expect(200).body["items"]
    )
    return found


def decide(world: World, who: str, id_: str, to: str, *roles: str, **more: Any) -> Answer:
    return world.by(who, *roles).post(f"/v1/endorsements/{id_}/transitions", {"to": to, **more})


def test_the_target_level_asks_the_supervisor_and_a_yes_fixes_the_session(
    world: World, office: dict[str, str]
) -> None:
    id_ = world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=3)
    (request,) = open_requests(world, office["boss"])
    assert (request["endorser_id"], request["level"], request["session_id"]) == (office["boss"], 3, id_)
    for person in ("guide", "learner", "head"):
        assert decide(world, office[person], request["id"], "endorsed").status in (403, 404)
    yes = decide(world, office["boss"], request["id"], "endorsed").expect(200)
    assert yes.body["state"] == "endorsed"
    assert decide(world, office["boss"], request["id"], "endorsed").expect(200).version == yes.version
    changed = body(office["pairing"], assessed_level=4)
    refused = world.by(office["guide"]).put(f"/v1/sessions/{id_}", changed, version=2).expect(409)
    assert refused.body["rule"] == "endorsed"
    kept = body(office["pairing"], assessed_level=3, summary="tuntas")
    assert world.by(office["guide"]).put(f"/v1/sessions/{id_}", kept, version=2).expect(200).version == 3


def test_an_answer_based_on_an_old_version_is_refused(world: World, office: dict[str, str]) -> None:
    """412 with the question as it stands; the same answer once more is 200, whatever version it names."""
    world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=3)
    (request,) = open_requests(world, office["boss"])
    path = f"/v1/endorsements/{request['id']}/transitions"
    boss, wanted = world.by(office["boss"]), {"to": "endorsed"}
    refused = boss.post(path, wanted, version=7).expect(412).body
    assert (refused["rule"], refused["current"]) == ("stale", request)
    done = boss.post(path, wanted, version=request["version"]).expect(200)
    assert boss.post(path, wanted, version=7).expect(200).version == done.version


def test_back_to_held_withdraws_the_question_and_a_new_confirmation_asks_again(
    world: World, office: dict[str, str]
) -> None:
    id_ = world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=3)
    changed = body(office["pairing"], assessed_level=3, minutes=75)
    world.by(office["guide"]).put(f"/v1/sessions/{id_}", changed, version=2).expect(200)
    assert open_requests(world, office["boss"]) == []
    (withdrawn,) = open_requests(world, office["boss"], state="withdrawn")
    refused = decide(world, office["boss"], withdrawn["id"], "endorsed").expect(409)
    assert refused.body["rule"] == "transition"
    world.move(office["learner"], id_, "confirmed").expect(200)
    (again,) = open_requests(world, office["boss"])
    assert again["id"] != withdrawn["id"]


def test_a_no_lets_the_guidance_go_on_and_a_later_session_asks_again(world: World, office: dict[str, str]) -> None:
    world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=3)
    (request,) = open_requests(world, office["boss"])
    no = decide(world, office["boss"], request["id"], "declined", reason="belum rapi").expect(200)
    assert "reason" not in no.body
    activity = f"/v1/endorsements/{request['id']}/activity"
    assert world.by(office["boss"]).get(activity).body["items"][-1]["note"] == "belum rapi"
    assert world.by(office["learner"]).get(activity).body["items"][-1]["note"] is None
    world.clock.tick(minutes=1)
    later = START + timedelta(hours=2)
    second = world.confirmed(
        office["guide"], office["learner"], office["pairing"], assessed_level=4, started_at=later
    )
    (again,) = open_requests(world, office["boss"])
    assert (again["session_id"], again["level"]) == (second, 4)


def test_the_supervisors_supervisor_is_asked_where_the_guide_is_the_supervisor(
    world: World, office: dict[str, str]
) -> None:
    pairing = world.pairing(office["boss"], office["learner"])
    world.confirmed(office["boss"], office["learner"], pairing, assessed_level=3)
    (request,) = open_requests(world, office["head"])
    assert request["endorser_id"] == office["head"]


def test_hr_is_asked_where_there_is_no_supervisor(world: World, office: dict[str, str]) -> None:
    alone = world.employee()
    pairing = world.pairing(office["guide"], alone)
    world.confirmed(office["guide"], alone, pairing, assessed_level=3)
    asked = open_requests(world, office["hr"], "hr")
    (request,) = [one for one in asked if one["learner_id"] == alone]
    assert request["endorser_id"] is None
    decide(world, office["hr"], request["id"], "endorsed", "hr").expect(200)


def test_an_open_question_follows_a_new_supervisor(world: World, office: dict[str, str]) -> None:
    world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=3)
    world.employee(office["head"], id_=office["learner"])
    assert open_requests(world, office["boss"]) == []
    (request,) = open_requests(world, office["head"])
    decide(world, office["boss"], request["id"], "endorsed").expect(404)
    world.employee(office["head"], id_=office["learner"])
    assert open_requests(world, office["head"])[0]["version"] == request["version"]
    decide(world, office["head"], request["id"], "endorsed").expect(200)


def test_progress_shows_levels_assessments_and_pairings(world: World, office: dict[str, str]) -> None:
    id_ = world.confirmed(office["guide"], office["learner"], office["pairing"], assessed_level=2)
    for person in ("learner", "boss", "head"):
        shown = world.by(office[person]).get(f"/v1/employees/{office['learner']}/progress").expect(200).body
        assert shown == {
            "employee_id": office["learner"],
            "levels": [
                {
                    "competency": "menyusun-surat-dinas",
                    "level": 0,
                    "assessed": [{"session_id": id_, "at": "2026-11-02T02:00:00Z", "level": 2}],
                }
            ],
            "pairings": [
                {
                    "id": office["pairing"],
                    "competency": "menyusun-surat-dinas",
                    "target_level": 3,
                    "state": "active",
                    "sessions": 1,
                }
            ],
        }


def test_duties_show_own_and_delegated_guidance(world: World, office: dict[str, str]) -> None:
    world.confirmed(office["guide"], office["learner"], office["pairing"])
    own = world.pairing(office["boss"], office["guide"])
    later = START + timedelta(hours=2)
    world.confirmed(office["boss"], office["guide"], own, started_at=later)
    idle = world.employee(office["boss"])
    found = world.by(office["boss"]).get("/v1/duties").expect(200).body["items"]
    assert {item["employee_id"]: (item["met"], item["by"], item["last_on"]) for item in found} == {
        office["learner"]: (True, "delegated", "2026-11-02"),
        office["guide"]: (True, "own", "2026-11-02"),
        idle: (False, None, None),
    }
