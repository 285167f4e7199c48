"""Two hundred at the same instant: no rule is broken."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from infra.storage import guards
from tests.component.enrollment.programme import Programme
from tests.support import Answer, patiently

MANY = 200
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def city(programme: Programme) -> None:
    """Every test starts with the small city and one technique."""
    programme.city()
    programme.competency()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that don't wait for each other, like processes of their own: only the database keeps the rules."""
    monkeypatch.setattr(guards, "_queued", lambda keys: nullcontext())


def at_once(*calls: Callable[[], Answer]) -> list[Answer]:
    """The answers to all calls, made at the same time; who is told 503 tries again, as clients do."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        return [future.result() for future in [pool.submit(patiently, call) for call in calls]]


def people(programme: Programme, number: int, units: tuple[str, ...], boss: str | None = None) -> list[str]:
    """Many employees in a few units."""
    rows = [
        {
            "nip": programme.nip(),
            "name": "Contoh",
            "status": "pns",
            "unit": units[i % len(units)],
            "supervisor_nip": boss,
        }
        for i in range(number)
    ]
    return [item["id"] for item in programme.hr.put("/v1/employees", rows).expect(200).body["items"]]


def test_never_more_accepted_than_seats(programme: Programme) -> None:
    """200 nominations and then 200 acceptances at once, for 7 seats and 2 a unit."""
    batch = programme.batch(seats=7, seats_per_unit=2)
    ids = people(programme, MANY, ("DISDIK", "DINKES", "KEC", "KEL", "CITY"))
    path = f"/v1/batches/{batch}/participants"
    made = at_once(*[lambda id_=id_: programme.hr.post(path, {"employee_id": id_}, key=id_) for id_ in ids])
    assert Counter(answer.status for answer in made) == {201: MANY}
    answers = at_once(
        *[lambda id_=answer.body["id"]: programme.try_move("participants", id_, "accepted") for answer in made]
    )
    assert Counter(answer.body["state"] for answer in answers) == {"accepted": 7, "waitlisted": MANY - 7}
    taken = Counter(answer.body["unit"] for answer in answers if answer.body["state"] == "accepted")
    assert max(taken.values()) <= 2
    waiting = pages(programme, path, state="waitlisted")
    assert sorted(p["place"] for p in waiting) == list(range(1, MANY - 6))


def pages(programme: Programme, path: str, **params: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        body = programme.hr.get(path, params={"limit": "60", **params, **cursor}).expect(200).body
        found.extend(body["items"])
        if body["next"] is None:
            return found
        cursor = {"cursor": body["next"]}


@pytest.mark.usefixtures("apart")
def test_one_person_is_nominated_once(programme: Programme) -> None:
    """The same nomination from many hands, and for batches on the same days."""
    (person,) = people(programme, 1, ("DISDIK",))
    batches = [programme.batch() for _ in range(3)]
    calls = [
        lambda batch=batches[i % 3]: programme.hr.post(
            f"/v1/batches/{batch}/participants", {"employee_id": person}
        )
        for i in range(60)
    ]
    assert Counter(answer.status for answer in at_once(*calls)) == {201: 1, 409: 59}


def test_never_more_active_pairings_than_a_guide_bears(programme: Programme) -> None:
    """200 activations of one guide at once: five get through."""
    boss = programme.nip()
    guide = programme.person(nip=boss)
    learners = people(programme, MANY // 2, ("DISDIK",), boss)
    proposed = at_once(*[lambda id_=id_: programme.try_propose(guide, id_) for id_ in learners for _ in (1, 2)])
    answers = at_once(
        *[lambda id_=one.body["id"]: programme.try_move("pairings", id_, "active") for one in proposed]
    )
    rules = Counter(answer.body.get("rule", "active") for answer in answers)
    assert rules["active"] == 5
    assert set(rules) <= {"active", "guide-full", "pairing-duplicate"}


@pytest.mark.usefixtures("apart")
def test_never_more_active_pairings_than_a_learner_bears(programme: Programme) -> None:
    """Ten supervisors' supervisors wait for one learner: two get through."""
    codes = [programme.competency(f"teknik-{number}") for number in range(40)]
    boss = programme.nip()
    guide = programme.person(nip=boss)
    learner = programme.person(boss=boss)
    proposed = [programme.propose(guide, learner, competency=code) for code in codes]
    answers = at_once(*[lambda id_=one: programme.try_move("pairings", id_, "active") for one in proposed])
    assert Counter(answer.body.get("rule", "active") for answer in answers) == {"active": 2, "learner-full": 38}


@pytest.mark.usefixtures("apart")
def test_one_key_makes_one_batch(programme: Programme) -> None:
    """Repeats that arrive together get the same answer."""
    body = {
        "name": "Angkatan",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-02",
        "venue": "Depok",
        "seats": 1,
        "seats_per_unit": 1,
        "partners": [],
    }
    key = str(uuid.uuid4())
    answers = at_once(*[lambda: programme.hr.post("/v1/batches", body, key=key) for _ in range(30)])
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1


@pytest.mark.usefixtures("apart")
def test_supervisors_never_form_a_circle(programme: Programme) -> None:
    """Two that name each other at the same moment: one of them is refused."""
    first, second = programme.nip(), programme.nip()
    base = {"name": "Contoh", "status": "pns", "unit": "DISDIK"}
    for nip in (first, second):
        programme.hr.put("/v1/employees", {**base, "nip": nip}).expect(200)
    pairs = [(first, second), (second, first)] * 5
    calls = [
        lambda nip=nip, boss=boss: programme.hr.put("/v1/employees", {**base, "nip": nip, "supervisor_nip": boss})
        for nip, boss in pairs
    ]
    outcomes = Counter(answer.body["items"][0]["outcome"] for answer in at_once(*calls))
    assert outcomes["updated"] == 1
    assert outcomes["rejected"] == 5
