"""Batches from draft to certificate: seats, the waiting list, and what the system does by itself."""

from typing import Any

import pytest

from tests.component.enrollment.programme import HR, Programme, TestClock

Y2016 = "2016-01-04T01:00:00Z"


@pytest.fixture(autouse=True)
def city(programme: Programme) -> None:
    """Every test starts with the small city."""
    programme.city()


def state(programme: Programme, participant: str) -> str:
    """The state a participant is in."""
    return str(programme.hr.get(f"/v1/participants/{participant}").expect(200).body["state"])


def counts(programme: Programme, batch: str) -> dict[str, int]:
    """People in each state, those without anybody left out."""
    body = programme.hr.get(f"/v1/batches/{batch}").expect(200).body
    return {name: number for name, number in body["counts"].items() if number}


def test_the_batch_of_2016_is_entered_today(programme: Programme) -> None:
    """Every step bears its own date, though all are recorded now."""
    first = programme.person("DISDIK", effective_at=Y2016)
    second = programme.person("DISDIK-1", effective_at=Y2016)
    batch = programme.batch(
        state="draft",
        name="Angkatan I 2016",
        starts_on="2016-05-16",
        ends_on="2016-05-19",
        partners=["Swiss-German University", "PT Abipraya"],
        jp=30,
        effective_at="2016-03-01T01:00:00Z",
    )
    programme.move("batches", batch, "open", effective_at="2016-03-02T01:00:00Z")
    late = programme.nominate(batch, first, effective_at="2016-04-02T01:00:00Z", reason="Berpotensi memimpin")
    early = programme.nominate(batch, second, effective_at="2016-04-01T01:00:00Z")
    at: dict[str, Any] = {"effective_at": "2016-04-20T01:00:00Z"}
    assert programme.move("participants", late, "accepted", **at).body["state"] == "accepted"
    waiting = programme.move("participants", early, "accepted", **at).body
    assert (waiting["state"], waiting["place"], waiting["unit"]) == ("waitlisted", 1, "DISDIK")
    programme.move("participants", late, "withdrawn", effective_at="2016-04-25T01:00:00Z")
    moved_up = programme.hr.get(f"/v1/participants/{early}").body
    assert (moved_up["state"], moved_up["place"]) == ("accepted", None)
    assert moved_up["effective_at"] == "2016-04-25T01:00:00Z"
    programme.move("batches", batch, "closed", effective_at="2016-05-01T01:00:00Z")
    programme.move("batches", batch, "running", effective_at="2016-05-16T01:00:00Z")
    programme.move("participants", early, "attended", effective_at="2016-05-16T02:00:00Z")
    done = programme.move("participants", early, "certified", effective_at="2016-05-19T09:00:00Z").body
    assert done["certificate"]["number"] == "BINA-2016-0001"
    programme.move("batches", batch, "finished", effective_at="2016-05-19T10:00:00Z")
    guide = programme.hr.get(f"/v1/employees/{second}").body
    assert guide["may_guide"] == [{"ground": "representative", "competency": None}]
    assert counts(programme, batch) == {"withdrawn": 1, "certified": 1}


def test_steps_go_in_the_order_of_time(programme: Programme) -> None:
    """A step can't be dated before the one before it."""
    batch = programme.batch(state="draft")
    refused = programme.try_move("batches", batch, "open", effective_at="2020-01-01T00:00:00Z")
    assert refused.expect(409).body["rule"] == "effective-order"


def test_a_step_that_nobody_dated_bears_a_clock_that_is_behind(programme: Programme, clock: TestClock) -> None:
    """Machines' clocks differ: what happens at once is in effect with the step before it at the earliest."""
    batch = programme.batch(state="draft")
    before = programme.hr.get(f"/v1/batches/{batch}").body["effective_at"]
    clock.forward(minutes=-5)
    assert programme.move("batches", batch, "open").body["effective_at"] == before
    participant = programme.nominate(batch, programme.person(effective_at="2020-01-01T00:00:00Z"))
    clock.forward(minutes=-5)
    assert programme.move("participants", participant, "accepted").body["state"] == "accepted"


def test_nobody_is_nominated_before_they_were_there(programme: Programme) -> None:
    """Whatever the NIP tells of earlier years."""
    person = programme.person()
    batch = programme.batch(effective_at="2020-01-01T00:00:00Z")
    body = {"employee_id": person, "effective_at": "2020-02-01T00:00:00Z"}
    assert programme.hr.post(f"/v1/batches/{batch}/participants", body).expect(409).body["rule"] == "not-active"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"batch": {"state": "draft"}}, "batch-not-open"),
        ({"batch": {"echelons": ["IV.b"]}, "person": {"echelon": "IV.a"}}, "not-eligible"),
        ({"batch": {"echelons": ["III"], "position_kinds": ["functional"]}}, "not-eligible"),
        ({"person": {"active": False}}, "not-active"),
    ],
)
def test_who_is_not_taken(programme: Programme, change: dict[str, dict[str, Any]], rule: str) -> None:
    """Closed doors, wrong echelon, not in service."""
    person = programme.person(**change.get("person", {}))
    batch = programme.batch(**change.get("batch", {}))
    answer = programme.hr.post(f"/v1/batches/{batch}/participants", {"employee_id": person})
    assert answer.expect(409).body["rule"] == rule


def test_a_group_of_echelons_or_a_kind_of_position_makes_eligible(programme: Programme) -> None:
    """`IV` stands for IV.a and IV.b; the kind of position counts beside."""
    batch = programme.batch(echelons=["IV"], position_kinds=["functional"], seats_per_unit=5)
    programme.nominate(batch, programme.person(echelon="IV.b"))
    programme.nominate(batch, programme.person(position_kind="functional"))


def test_one_person_is_in_one_batch_at_a_time(programme: Programme) -> None:
    """Twice in the same batch, or in another on the same days: no."""
    person = programme.person()
    batch = programme.batch()
    again = programme.batch(starts_on="2026-12-04", ends_on="2026-12-06")
    later = programme.batch(starts_on="2026-12-05", ends_on="2026-12-06")
    programme.nominate(batch, person)
    rules = [
        programme.hr.post(f"/v1/batches/{one}/participants", {"employee_id": person}).body.get("rule")
        for one in (batch, again, later)
    ]
    assert rules == ["already-participant", "dates-overlap", None]


def test_the_first_in_line_whose_unit_has_room_moves_up(programme: Programme, clock: TestClock) -> None:
    """The line is by time of nomination; a unit without a seat is passed over."""
    batch = programme.batch(seats=2, seats_per_unit=1)
    units = {"a": "DISDIK", "b": "DINKES", "c": "DISDIK", "d": "KEL"}
    people = {}
    for name, unit in units.items():
        people[name] = programme.nominate(batch, programme.person(unit))
        clock.forward(seconds=1)
    states = [programme.move("participants", people[name], "accepted").body["state"] for name in people]
    assert states == ["accepted", "accepted", "waitlisted", "waitlisted"]
    assert programme.hr.get(f"/v1/participants/{people['d']}").body["place"] == 2
    programme.move("participants", people["b"], "withdrawn")
    assert state(programme, people["d"]) == "accepted"
    assert state(programme, people["c"]) == "waitlisted"
    assert programme.hr.get(f"/v1/participants/{people['c']}").body["place"] == 1


def test_a_repeat_of_ones_own_step_changes_nothing(programme: Programme) -> None:
    """Also when the seats put the person on the waiting list; somebody else's repeat is refused."""
    batch = programme.batch(seats=1)
    first, second = (programme.nominate(batch, programme.person(unit)) for unit in ("DISDIK", "DINKES"))
    programme.move("participants", first, "accepted")
    waiting = programme.move("participants", second, "accepted").body
    again = programme.move("participants", second, "accepted").body
    assert again == waiting
    other = programme.by("22222222-2222-4222-8222-222222222222", "hr")
    refused = programme.try_move("participants", first, "accepted", by=other)
    assert refused.expect(409).body["rule"] == "transition"
    programme.move("participants", first, "withdrawn")
    assert programme.move("participants", second, "accepted").body["state"] == "accepted"


def test_the_batch_takes_its_participants_along(programme: Programme) -> None:
    """At the start the undecided are declined; it can't finish while somebody is merely accepted."""
    batch = programme.batch(seats=1)
    taken, waiting, open_ = (
        programme.nominate(batch, programme.person(unit)) for unit in ("DISDIK", "DINKES", "KEL")
    )
    programme.move("participants", taken, "accepted")
    programme.move("participants", waiting, "accepted")
    assert programme.try_move("batches", batch, "running").expect(409).body["rule"] == "transition"
    programme.move("batches", batch, "closed")
    programme.move("batches", batch, "running")
    assert [state(programme, one) for one in (taken, waiting, open_)] == ["accepted", "declined", "declined"]
    assert programme.try_move("batches", batch, "finished").expect(409).body["rule"] == "transition"
    programme.move("participants", taken, "absent")
    assert programme.move("batches", batch, "finished").body["state"] == "finished"
    assert programme.try_move("batches", batch, "cancelled").expect(409).body["rule"] == "transition"


def test_a_cancelled_batch_keeps_only_its_certificates(programme: Programme) -> None:
    """All who are not certified are withdrawn."""
    batch = programme.batch(seats_per_unit=9)
    one, two, three = (programme.nominate(batch, programme.person()) for _ in range(3))
    for each in (one, two):
        programme.move("participants", each, "accepted")
    programme.move("participants", three, "declined")
    programme.move("batches", batch, "closed")
    programme.move("batches", batch, "running")
    programme.move("participants", one, "attended")
    programme.move("participants", one, "certified")
    programme.move("batches", batch, "cancelled", reason="Kehabisan anggaran")
    assert counts(programme, batch) == {"certified": 1, "withdrawn": 1, "declined": 1}


def test_certificates_are_verified_by_number_and_code(programme: Programme) -> None:
    """Open to all, telling name, batch, dates and validity; either part wrong is 404."""
    one = programme.certified(programme.person(name="Siti Aminah"))
    certificate = programme.hr.get(f"/v1/participants/{one}").body["certificate"]
    nobody = programme.hr.bearing(None)
    path = f"/v1/certificates/{certificate['number']}"
    told = nobody.get(path, params={"code": certificate["code"]}).expect(200).body
    assert told == {
        "number": certificate["number"],
        "name": "Siti Aminah",
        "batch": "Angkatan 1",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-04",
        "valid": True,
    }
    nobody.get(path, params={"code": certificate["code"][:-1] + "x"}).expect(404)
    nobody.get("/v1/certificates/BINA-2026-9999", params={"code": certificate["code"]}).expect(404)
    nobody.get(path).expect(422)


def test_a_repeated_post_gives_the_first_answer(programme: Programme) -> None:
    """The same key with another body is 422."""
    person, batch = programme.person(), programme.batch()
    path, body = f"/v1/batches/{batch}/participants", {"employee_id": person}
    first = programme.hr.post(path, body, key="k1").expect(201)
    again = programme.hr.post(path, body, key="k1").expect(201)
    assert (again.body, again.headers["Location"]) == (first.body, first.headers["Location"])
    programme.hr.post(path, {**body, "reason": "lain"}, key="k1").expect(422)
    assert programme.hr.get(path).body["items"] == [first.body]


def test_the_activity_tells_who_did_what(programme: Programme) -> None:
    """With both times; the reason of a nomination is there for HR."""
    one = programme.nominate(programme.batch(), programme.person(), reason="Berpotensi")
    programme.move("participants", one, "accepted")
    told = programme.hr.get(f"/v1/participants/{one}/activity").expect(200).body["items"]
    assert [(entry["who"], entry["what"], entry["note"]) for entry in told] == [
        (HR, "participant.nominated", "Berpotensi"),
        (HR, "participant.accepted", None),
    ]
