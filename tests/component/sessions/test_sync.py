from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from bson import Timestamp

from infra.storage.aggregates import Aggregates
from services.sessions.commands import changes
from tests.component.sessions.world import START, Trio, World, body

LONG_WINDOW = patch.object(changes, "WINDOW", 600)
"""However long the test takes, what is stored at its beginning is unsettled at its end."""


def item(pairing: str, hours: float = 0, **changes_: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), **body(pairing, started_at=START + timedelta(hours=hours), **changes_)}


def sync(world: World, who: str, **frame: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.by(who).post("/v1/sync", frame).expect(200).body
    return answer


def statuses(answer: dict[str, Any]) -> list[str]:
    return [result["status"] for result in answer["results"]]


def rules(answer: dict[str, Any]) -> list[str | None]:
    return [result["problem"] and result["problem"]["rule"] for result in answer["results"]]


def test_a_queue_is_stored_in_its_order_and_twice_is_once(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    queue = [item(pairing, number) for number in range(5)]
    first = sync(world, guide, sessions=queue)
    assert statuses(first) == ["stored"] * 5
    assert [result["id"] for result in first["results"]] == [one["id"] for one in queue]
    assert [result["version"] for result in first["results"]] == [1] * 5
    assert statuses(sync(world, guide, sessions=queue)) == ["unchanged"] * 5


def test_a_queue_sent_twice_at_once_is_stored_by_one_and_unchanged_for_the_other(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    queue = [item(pairing, number) for number in range(3)]
    sync(world, guide, sessions=queue)
    with patch.object(Aggregates, "many", return_value={}):
        assert statuses(sync(world, guide, sessions=queue)) == ["unchanged"] * 3


def test_one_bad_item_never_loses_the_others(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    foreign = world.pairing(world.employee(), world.employee())
    queue: list[Any] = [
        item(pairing, 0),
        item(pairing, 1, minutes=3),
        "no object",
        None,
        item(str(uuid4()), 2),
        item(foreign, 3),
        item(pairing, 900),
        {**item(pairing, 4), "id": 7},
        item(pairing, 5),
    ]
    answer = sync(world, guide, sessions=queue)
    assert rules(answer) == [
        None,
        "invalid",
        "invalid",
        "invalid",
        "pairing-unknown",
        "unknown",
        "session-in-future",
        "invalid",
        None,
    ]
    assert answer["results"][1]["problem"]["errors"][0]["pointer"] == "/sessions/1/minutes"
    assert answer["results"][2]["problem"]["errors"][0]["pointer"] == "/sessions/2"
    assert answer["results"][2]["id"] is None
    assert answer["results"][4]["problem"]["retry"] is True
    assert answer["results"][7]["id"] is None
    steps = [None, {"id": answer["results"][0]["id"], "to": "cancelled"}]
    assert rules(sync(world, guide, transitions=steps)) == ["invalid", None]


def test_pointers_lead_to_the_item_also_where_a_rule_refuses(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.post_session(guide, pairing).expect(201).body["id"]
    rated = {"id": id_, "to": "cancelled", "feedback": {"rating": 5}}
    steps = [{"id": id_, "to": "disputed"}, {**rated, "to": "disputed", "reason": "keliru"}]
    results = sync(world, learner, transitions=steps)["results"]
    pointers = [[error["pointer"] for error in result["problem"]["errors"]] for result in results]
    assert pointers == [["/transitions/0/reason"], ["/transitions/1/feedback"]]


def test_overlaps_within_a_queue_go_to_the_first_in_it(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    queue = [item(pairing, 0), item(pairing, 0.5), item(pairing, 56 / 60), item(pairing, 3)]
    assert rules(sync(world, guide, sessions=queue)) == [None, "session-overlap", None, None]


def test_a_queue_meets_what_is_stored_already(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    world.post_session(guide, pairing).expect(201)
    queue = [item(pairing, 0), item(pairing, 56 / 60), item(pairing, 4)]
    assert rules(sync(world, guide, sessions=queue)) == ["session-overlap", None, None]


def test_a_session_may_be_written_and_corrected_in_one_queue(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    one = item(pairing, 0)
    moved = {**one, "started_at": "2026-11-02T05:00:00Z", "base_version": 1}
    in_its_old_place = item(pairing, 0)
    without_base = {**one, "minutes": 50}
    answer = sync(world, guide, sessions=[one, moved, in_its_old_place, without_base])
    assert statuses(answer) == ["stored", "stored", "stored", "refused"]
    problem = answer["results"][3]["problem"]
    assert (problem["rule"], problem["status"], problem["current"]["version"]) == ("if-match-required", 428, 2)


def test_sessions_apply_first_then_transitions(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    one, two = item(pairing, 0), item(pairing, 2)
    answer = sync(
        world,
        guide,
        transitions=[
            {"id": one["id"], "to": "cancelled", "base_version": 1},
            {"id": two["id"], "to": "confirmed"},
            {"id": str(uuid4()), "to": "cancelled"},
            {"id": two["id"], "to": "disputed"},
        ],
        sessions=[one, two],
    )
    assert statuses(answer) == ["stored", "stored", "stored", "refused", "refused", "refused"]
    assert rules(answer)[3:] == ["not-the-learner", "unknown", "invalid"]
    confirm = {"id": two["id"], "to": "confirmed", "base_version": 1, "feedback": {"rating": 4}}
    answer = sync(world, learner, transitions=[confirm, confirm, {**confirm, "id": one["id"]}])
    assert statuses(answer) == ["stored", "unchanged", "refused"]
    assert [result["version"] for result in answer["results"]] == [2, 2, None]


def test_a_stale_confirmation_comes_back_with_the_current_state(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    one = item(pairing)
    sync(world, guide, sessions=[one, {**one, "minutes": 90, "base_version": 1}])
    answer = sync(world, learner, transitions=[{"id": one["id"], "to": "confirmed", "base_version": 1}])
    problem = answer["results"][0]["problem"]
    assert (problem["rule"], problem["current"]["minutes"]) == ("stale", 90)
    assert problem["current"]["private_note"] is None


def test_more_than_five_hundred_items_are_too_many(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    queue = [item(pairing, number) for number in range(500)]
    frame = {"sessions": queue, "transitions": [{"id": str(uuid4()), "to": "cancelled"}]}
    assert world.by(guide).post("/v1/sync", frame).expect(413).body["rule"] == "too-many-items"


def test_a_frame_that_is_none_is_refused_whole(world: World, pair: Trio) -> None:
    frames: list[Any] = [
        {"sessions": {}},
        {"transitions": 1},
        {"cursor": "nonsense"},
        {"cursor": 1},
        {"more": 1},
        [],
    ]
    for frame in frames:
        world.by(pair[0]).post("/v1/sync", frame).expect(422)


# --- changes


def news(world: World, who: str, cursor: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """All pages of a round."""
    found: list[dict[str, Any]] = []
    while True:
        answer = sync(world, who, **({"cursor": cursor} if cursor else {}))
        found += answer["changes"]
        cursor = answer["cursor"]
        if not answer["more"]:
            return found, cursor


def test_without_a_cursor_all_of_this_persons_comes_and_nothing_of_others(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    boss = world.employee()
    world.employee(boss, id_=learner)
    id_ = world.confirmed(guide, learner, pairing, assessed_level=3, private_note="rahasia")
    strangers = world.employee(), world.employee()
    world.confirmed(*strangers, world.pairing(*strangers))
    for who, kinds in (
        (guide, ["endorsement", "pairing", "session"]),
        (learner, ["credit", "endorsement", "pairing", "session"]),
        (boss, ["endorsement"]),
        (world.employee(), []),
    ):
        found, _ = news(world, who)
        assert sorted(change["type"] for change in found) == kinds
        assert not any(change["gone"] for change in found)
        for change in found:
            if change["type"] == "session":
                path = f"/v1/sessions/{id_}"
                assert change["data"] == world.by(who).get(path).expect(200).body
                assert change["data"]["private_note"] == ("rahasia" if who == guide else None)


@LONG_WINDOW
def test_what_was_just_sent_is_told_as_it_is_stored(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    queue = [item(pairing, number, private_note="rahasia") for number in range(3)]
    queue += [{**queue[0], "minutes": 50, "base_version": 1}]
    first = sync(world, guide, sessions=queue[:3])
    second = sync(world, guide, cursor=first["cursor"], sessions=queue[2:])
    step = {"id": queue[1]["id"], "base_version": 1, "to": "confirmed"}
    third = sync(world, learner, transitions=[step])
    for answer in (first, second, third):
        told = {change["id"]: change["data"] for change in answer["changes"] if change["type"] == "session"}
        assert told.keys() == {one["id"] for one in queue}
    assert told == {id_: world.by(learner).get(f"/v1/sessions/{id_}").expect(200).body for id_ in told}
    assert [told[one["id"]]["version"] for one in queue[:3]] == [2, 2, 1]


def test_what_somebody_changes_in_between_is_told_as_changed(world: World, pair: Trio) -> None:
    """Between storing what a phone has sent and reading what is new for it."""
    guide, learner, pairing = pair
    queue = [item(pairing, number) for number in range(2)]
    visible_until = changes.Changes._visible_until

    def confirmed_meanwhile(reader: changes.Changes) -> int:
        path = f"/v1/sessions/{queue[0]['id']}/transitions"
        with ThreadPoolExecutor(1) as other:
            other.submit(world.by(learner).post, path, {"to": "confirmed"}, version=1).result().expect(200)
        return visible_until(reader)

    with patch.object(changes.Changes, "_visible_until", confirmed_meanwhile):
        answer = sync(world, guide, sessions=queue)
    told = {change["id"]: change["data"] for change in answer["changes"] if change["type"] == "session"}
    assert [told[one["id"]]["status"] for one in queue] == ["confirmed", "held"]
    assert [told[one["id"]]["version"] for one in queue] == [2, 1]


@LONG_WINDOW
def test_pages_bring_everything_once_a_round_and_end(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    sync(world, guide, sessions=[item(pairing, number * 1.5) for number in range(5)])
    with patch.object(changes, "PAGE", 2):
        found, cursor = news(world, guide)
        again, _ = news(world, guide, cursor)
    assert len(found) == len({change["id"] for change in found}) == 6
    assert {change["id"] for change in again} == {change["id"] for change in found}, "still in the window"


@LONG_WINDOW
def test_what_is_settled_is_told_once_and_what_comes_late_is_not_missed(world: World, pair: Trio) -> None:
    """A write that was stamped before the last sync but became visible after it."""
    guide, _, pairing = pair
    ids = [world.post_session(guide, pairing, started_at=START + timedelta(hours=n)).body["id"] for n in (0, 2)]
    late = world.post_session(guide, pairing, started_at=START + timedelta(hours=4)).body["id"]
    sessions = world.store.sessions.collection
    stamp = sessions.find({"_id": ids[1]})[0]["changed"]
    sessions.update_many({}, {"$set": {"changed": Timestamp(stamp.time - 2 * changes.WINDOW, 1)}})
    world.store.pairings.collection.update_many(
        {}, {"$set": {"changed": Timestamp(stamp.time - 2 * changes.WINDOW, 1)}}
    )
    sessions.update_one({"_id": late}, {"$set": {"people": []}})
    found, cursor = news(world, guide)
    assert {change["id"] for change in found} == {*ids, pairing}
    assert news(world, guide, cursor)[0] == []
    visible = {"people": [guide], "changed": Timestamp(stamp.time - changes.WINDOW // 2, 1)}
    sessions.update_one({"_id": late}, {"$set": visible})
    assert [change["id"] for change in news(world, guide, cursor)[0]] == [late]


def test_what_concerns_one_no_longer_is_gone(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    old, new = world.employee(), world.employee()
    world.employee(old, id_=learner)
    id_ = world.confirmed(guide, learner, pairing, assessed_level=3)
    _, cursor = news(world, old)
    world.employee(new, id_=learner)
    (gone,) = news(world, old, cursor)[0]
    assert (gone["type"], gone["gone"], gone["data"]) == ("endorsement", True, None)
    assert [change["gone"] for change in news(world, new)[0]] == [False]
    world.by(guide).put(f"/v1/sessions/{id_}", body(pairing, minutes=30), version=2).expect(200)
    assert [c["gone"] for c in news(world, learner)[0] if c["type"] == "credit"] == [True]
