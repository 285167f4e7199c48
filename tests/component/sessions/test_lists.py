from datetime import timedelta

from tests.component.sessions.world import START, Trio, World


def listed(world: World, who: str, query: str = "", *roles: str) -> list[str]:
    found = world.by(who, *roles).get(f"/v1/sessions{query}").expect(200).body["items"]
    return [item["id"] for item in found]


def test_sessions_by_pairing_time_and_status(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    world.clock.tick(days=20)
    days = [START + timedelta(days=number) for number in range(3)]
    ids = [world.post_session(guide, pairing, started_at=day).body["id"] for day in days]
    third = world.employee()
    other = world.pairing(guide, third)
    elsewhere = world.post_session(guide, other, started_at=START + timedelta(hours=3)).body["id"]
    world.move(learner, ids[1], "confirmed").expect(200)
    assert listed(world, guide) == [ids[2], ids[1], elsewhere, ids[0]]
    assert listed(world, guide, f"?pairing={pairing}") == ids[::-1]
    assert listed(world, world.employee(), f"?pairing={pairing}", "hr") == ids[::-1]
    assert listed(world, third, f"?pairing={pairing}") == []
    assert listed(world, guide, "?status=confirmed") == [ids[1]]
    assert listed(world, guide, "?from=2026-11-03&to=2026-11-03") == [ids[1]]
    assert listed(world, guide, "?from=2026-11-03T02:00:00Z&to=2026-11-04T09:00:00%2B07:00") == [ids[1]]
    for wrong in ("?from=yesterday", "?to=2026-11-31", "?status=open", "?pairing=x", "?person=x"):
        assert world.by(guide).get(f"/v1/sessions{wrong}").expect(422).body["errors"][0]["pointer"][0] == "?"


def test_pages_hold_every_session_once(world: World, pair: Trio) -> None:
    guide, _, pairing = pair
    posted = [
        world.post_session(guide, pairing, started_at=START + timedelta(hours=number * 1.5)).body["id"]
        for number in range(5)
    ]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.by(guide).get(f"/v1/sessions?limit=2{cursor and f'&cursor={cursor}'}").expect(200).body
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert found == posted[::-1]
    world.by(guide).get("/v1/sessions?cursor=abc").expect(422)


def test_an_activity_comes_in_pages_too(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    id_ = world.confirmed(guide, learner, pairing)
    path = f"/v1/sessions/{id_}/activity?limit=1"
    first = world.by(guide).get(path).expect(200).body
    second = world.by(guide).get(f"{path}&cursor={first['next']}").expect(200).body
    assert [first["items"][0]["what"], second["items"][0]["what"]] == ["session.held", "session.confirmed"]
    assert second["next"] is None
    world.by(guide).get(f"{path}&cursor=abc").expect(422)


def test_me_and_my_pairings(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    report = world.employee(guide)
    world.employee(guide, active=False)
    world.tell("person.changed", {"id": guide, "name": "Siti Aminah", "email": "siti@example.id"}, guide)
    shown = world.by(guide, "employee", "leader").get("/v1/me").expect(200).body
    assert shown == {
        "id": guide,
        "name": "Siti Aminah",
        "roles": ["employee", "leader"],
        "unit": "SETDA",
        "reports": 1,
    }
    (mine,) = world.by(guide).get("/v1/me/pairings").expect(200).body["items"]
    assert (mine["id"], mine["guide_name"], mine["learner_name"]) == (pairing, "Siti Aminah", None)
    assert (mine["state"], mine["overdue"], mine["due_on"]) == ("active", False, "2026-12-31")
    assert {"guide_accepted", "learner_accepted"} < set(mine)
    assert "goal" not in mine, "whether there is one only enrollment knows"
    world.clock.tick(days=70)
    assert world.by(learner).get("/v1/me/pairings").body["items"][0]["overdue"] is True
    assert world.by(report).get("/v1/me/pairings").body["items"] == []


def test_a_proposal_shows_who_has_consented_and_that_it_met_with_silence(world: World) -> None:
    guide, learner = world.employee(), world.employee()
    world.pairing(guide, learner, state="proposed", active_at=None, history=[], guide_accepted=True)
    (shown,) = world.by(learner).get("/v1/me/pairings").expect(200).body["items"]
    assert (shown["guide_accepted"], shown["learner_accepted"], shown["overdue"]) == (True, False, False)
    world.pairing(guide, learner, state="proposed", id_=shown["id"], history=[], escalated=True)
    (shown,) = world.by(learner).get("/v1/me/pairings").expect(200).body["items"]
    assert shown["overdue"] is True


def test_an_erased_name_is_gone(world: World, pair: Trio) -> None:
    guide = pair[0]
    world.tell("person.changed", {"id": guide, "name": "Siti Aminah", "email": None}, guide)
    world.tell("person.erased", None, guide)
    assert world.by(guide).get("/v1/me").expect(200).body["name"] is None


def test_credits_of_a_year_name_their_sources(world: World, pair: Trio) -> None:
    guide, learner, pairing = pair
    world.tell("batch.created", {"id": "b1", "jp": 32}, "b1")
    part = {
        "id": "p1",
        "batch_id": "b1",
        "employee_id": learner,
        "state": "certified",
        "certified_at": "2026-05-19T10:00:00Z",
    }
    world.tell("participant.certified", part, "p1")
    world.confirmed(guide, learner, pairing)
    found = world.by(learner).get(f"/v1/employees/{learner}/credits?year=2026").expect(200).body
    assert (found["year"], found["total"]) == (2026, 34)
    assert found["sources"] == {"sessions": 2, "certification": 32, "imported": 0}
    assert [(item["on"], item["source"], item["jp"]) for item in found["items"]] == [
        ("2026-05-19", "certification", 32),
        ("2026-11-02", "sessions", 2),
    ]
    empty = world.by(learner).get(f"/v1/employees/{learner}/credits?year=2025").expect(200).body
    assert (empty["total"], empty["items"]) == (0, [])
    world.by(learner).get(f"/v1/employees/{learner}/credits?year=twenty").expect(422)
