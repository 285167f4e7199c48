"""Units, employees, competencies, needs and gaps as the HR portal uses them."""

from typing import Any

import pytest

from infra.storage.paging import encode
from tests.component.enrollment.programme import HR, Programme, TestClock

SKILL = "menyusun-surat-dinas"


@pytest.fixture(autouse=True)
def city(programme: Programme) -> None:
    """Every test starts with the small city."""
    programme.city()


def outcome(programme: Programme, body: Any) -> list[tuple[str, str | None]]:
    """What became of each employee, and the rule that refused it."""
    items = programme.hr.put("/v1/employees", body).expect(200).body["items"]
    assert [item["index"] for item in items] == list(range(len(items)))
    return [(item["outcome"], (item["problem"] or {}).get("rule")) for item in items]


def employee(programme: Programme, **more: Any) -> dict[str, Any]:
    """A body of PUT /employees."""
    return {"nip": programme.nip(), "name": "Budi", "status": "pns", "unit": "DISDIK", **more}


puts = pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/v1/units/BARU", {"name": "A", "kind": "agency", "parent": "CITY"}, {"name": "B"}),
        ("/v1/competencies/baru", {"name": "A", "aspect": "attitude"}, {"name": "B"}),
        (f"/v1/units/DISDIK/needs/{SKILL}", {"people": 2, "level": 3}, {"people": 0}),
    ],
)


@puts
def test_a_put_goes_by_versions(
    programme: Programme, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    """Create, repeat, change with the right version only; a refusal shows what is stored."""
    programme.competency()
    programme.hr.put(path, body, version=1).expect(412)
    made = programme.hr.put(path, body).expect(201)
    assert (made.version, made.headers["Location"]) == (1, path)
    assert programme.hr.put(path, body, version=9).expect(200).version == 1
    changed = {**body, **other}
    missing = programme.hr.put(path, changed).expect(428)
    assert missing.body["current"] == made.body
    stale = programme.hr.put(path, changed, version=3).expect(412)
    assert stale.body["current"]["version"] == 1
    assert programme.hr.put(path, changed, version=1).expect(200).version == 2
    late = {**body, "effective_at": "2020-01-01T00:00:00Z"}
    assert programme.hr.put(path, late, version=2).expect(409).body["rule"] == "effective-order"
    shown = programme.hr.get(path).expect(200)
    assert shown.body == {**made.body, **other, "version": 2}
    listed = programme.hr.get(path.rsplit("/", 1)[0]).expect(200).body["items"]
    assert shown.body in listed
    told = programme.hr.get(f"{path}/activity").expect(200).body["items"]
    assert [(entry["who"], entry["version"]) for entry in told] == [(HR, 1), (HR, 2)]


@puts
def test_a_put_that_nobody_dated_bears_a_clock_that_is_behind(
    programme: Programme, clock: TestClock, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    """Made by one machine and changed at another, whose clock is not as far: in effect with what it changes."""
    programme.competency()
    made = programme.hr.put(path, body).expect(201)
    clock.forward(seconds=-2)
    changed = programme.hr.put(path, {**body, **other}, version=1).expect(200)
    assert (changed.version, changed.body["effective_at"]) == (2, made.body["effective_at"])
    late = {**body, "effective_at": clock().isoformat()}
    assert programme.hr.put(path, late, version=2).expect(409).body["rule"] == "effective-order"


def test_people_and_closing_units_bear_a_clock_that_is_behind(programme: Programme, clock: TestClock) -> None:
    """Who is moved or named anew, and a unit that is closed, by a machine whose clock is not as far."""
    body = employee(programme)
    assert outcome(programme, body) == [("created", None)]
    clock.forward(seconds=-2)
    assert outcome(programme, {**body, "unit": "KEL"}) == [("updated", None)]
    assert outcome(programme, {**body, "unit": "KEL", "name": "Budi S."}) == [("updated", None)]
    assert outcome(programme, {**body, "unit": "DISDIK", "active": False}) == [("updated", None)]
    assert programme.move("units", "KEL", "closed").body["state"] == "closed"


def test_a_unit_in_use_is_not_closed(programme: Programme) -> None:
    """Neither with active people nor with active units below; afterwards nobody is put into it."""
    person = employee(programme, unit="KEL")
    outcome(programme, person)
    for code in ("KEL", "KEC"):
        assert programme.try_move("units", code, "closed").expect(409).body["rule"] == "unit-in-use"
    outcome(programme, {**person, "active": False})
    assert programme.move("units", "KEL", "closed").body["state"] == "closed"
    assert programme.move("units", "KEL", "closed").version == 2
    assert outcome(programme, employee(programme, unit="KEL")) == [("rejected", "unit-closed")]
    assert outcome(programme, {**person, "active": True}) == [("rejected", "unit-closed")]


def test_the_tree_stays_a_tree(programme: Programme) -> None:
    """Over HTTP as in the rules."""
    body = {"name": "x", "kind": "district", "parent": "KEL"}
    assert programme.hr.put("/v1/units/KEC", body, version=1).expect(409).body["rule"] == "unit-cycle"
    assert programme.hr.put("/v1/units/ROOT", {**body, "parent": None}).expect(409).body["rule"] == "unit-root"
    assert programme.hr.put("/v1/units/X", {**body, "parent": "Y"}).expect(409).body["rule"] == "unit-unknown"


def test_employees_come_one_by_one_or_in_a_list(programme: Programme) -> None:
    """What is wrong with one never stops another; supervisors may come later in the list."""
    boss = programme.nip()
    rows: list[Any] = [
        employee(programme, supervisor_nip=boss),
        employee(programme, name=" "),
        employee(programme, nip=198609262015051001),
        employee(programme, unknown=1),
        employee(programme, unit="NOWHERE"),
        employee(programme, effective_at="2030-01-01T00:00:00Z"),
        employee(programme, nip=boss),
        5,
    ]
    assert outcome(programme, rows) == [
        ("created", None),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("rejected", "unit-unknown"),
        ("rejected", "effective-in-future"),
        ("created", None),
        ("rejected", "invalid"),
    ]
    assert outcome(programme, rows[0]) == [("unchanged", None)]
    assert outcome(programme, {**rows[0], "active": None}) == [("unchanged", None)]
    assert outcome(programme, {**rows[0], "unit": "DINKES"}) == [("updated", None)]
    assert outcome(programme, []) == []


def test_what_is_no_employee_at_all_is_422(programme: Programme) -> None:
    """A JSON number has lost digits, and the answer says so; the address never holds a NIP."""
    number = programme.hr.put("/v1/employees", employee(programme, nip=198609262015051001), language="en")
    (error,) = number.expect(422).body["errors"]
    assert (error["pointer"], "last digits" in error["detail"]) == ("/nip", True)
    programme.hr.put("/v1/employees", employee(programme, unknown=1)).expect(422)
    programme.hr.put("/v1/employees", {}).expect(422)
    programme.hr.put("/v1/employees", "text").expect(422)
    programme.hr.put("/v1/employees", [{}] * 501).expect(413)
    programme.hr.put("/v1/employees", raw=b"{", content_type="application/json").expect(400)
    programme.hr.put("/v1/employees", raw=b"nip=1", content_type="text/plain").expect(415)


def test_pointers_lead_to_the_row_of_a_list(programme: Programme) -> None:
    """Whether the shape is wrong or a rule refuses; a single one is the body itself."""
    unknown = employee(programme, unit="NOPE")
    rows = [employee(programme), {"name": "Budi"}, employee(programme, nip="123"), unknown]
    items = programme.hr.put("/v1/employees", rows).expect(200).body["items"]
    pointers = [[error["pointer"] for error in (item["problem"] or {}).get("errors", ())] for item in items]
    assert pointers[0] == []
    assert "/1/nip" in pointers[1]
    assert pointers[2:] == [["/2/nip"], ["/3/unit"]]
    (alone,) = programme.hr.put("/v1/employees", unknown).expect(200).body["items"]
    assert [error["pointer"] for error in alone["problem"]["errors"]] == ["/unit"]


def test_a_move_keeps_history_and_order(programme: Programme) -> None:
    """A later move counts from its day; one before the last is refused."""
    one = employee(programme, effective_at="2016-01-04T00:00:00Z")
    outcome(programme, one)
    assert outcome(programme, {**one, "unit": "KEC", "effective_at": "2018-01-01T00:00:00Z"}) == [
        ("updated", None)
    ]
    back = {**one, "unit": "KEL", "effective_at": "2017-01-01T00:00:00Z"}
    assert outcome(programme, back) == [("rejected", "effective-order")]
    found = programme.hr.post("/v1/employees/search", {"nip": one["nip"]}).body["items"][0]
    assert (found["unit"], found["effective_at"]) == ("KEC", "2018-01-01T00:00:00Z")


def test_people_are_found_by_unit_name_and_nip(programme: Programme) -> None:
    """The unit means all below it; a name is found by the beginnings of its words."""
    people = [
        employee(programme, unit=unit, name=name)
        for unit, name in (("DISDIK", "Siti Aminah"), ("DISDIK-1", "Nur'aini Siti"), ("KEL", "Ahmad"))
    ]
    outcome(programme, people)

    def names(**params: str) -> set[str]:
        items = programme.hr.get("/v1/employees", params=params).expect(200).body["items"]
        return {item["name"] for item in items}

    assert names(unit="DISDIK") == {"Siti Aminah", "Nur'aini Siti"}
    assert names(q="sit") == {"Siti Aminah", "Nur'aini Siti"}
    assert names(q="sit NUR") == {"Nur'aini Siti"}
    assert names(q=".*") == set()
    assert names(unit="KEC", q="a") == {"Ahmad"}
    programme.hr.get("/v1/employees", params={"unit": "NOWHERE"}).expect(404)
    spaced = " ".join(people[2]["nip"])
    found = programme.hr.post("/v1/employees/search", {"nip": spaced}).expect(200).body["items"]
    assert [item["name"] for item in found] == ["Ahmad"]
    assert programme.hr.post("/v1/employees/search", {"nip": programme.nip()}).body == {"items": [], "next": None}


def test_lists_go_page_by_page(programme: Programme) -> None:
    """Every item once; a cursor of another list is refused."""
    outcome(programme, [employee(programme, unit=unit) for unit in ("DISDIK", "KEL") * 3])
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "4"} | ({"cursor": cursor} if cursor else {})
        body = programme.hr.get("/v1/employees", params=params).expect(200).body
        seen.extend(item["id"] for item in body["items"])
        cursor = body["next"]
        if cursor is None:
            break
        programme.hr.get("/v1/units", params={"cursor": cursor}).expect(422)
    assert len(seen) == len(set(seen)) == 6
    programme.hr.get("/v1/employees", params={"limit": "0"}).expect(422)
    programme.hr.get("/v1/employees", params={"order": "name"}).expect(422)


def test_gaps_count_the_units_own_people(programme: Programme) -> None:
    """Not those below it; whoever left or was never good enough doesn't count."""
    for code in (SKILL, "lain"):
        programme.competency(code)
    for unit, people in (("DISDIK", 3), ("DISDIK-1", 1), ("KEL", 1)):
        programme.hr.put(f"/v1/units/{unit}/needs/{SKILL}", {"people": people, "level": 3}).expect(201)
    nips = [programme.nip() for _ in range(4)]
    units = ("DISDIK", "DISDIK", "DISDIK-1", "DISDIK")
    outcome(programme, [employee(programme, nip=n, unit=u) for n, u in zip(nips, units, strict=True)])
    lines = "".join(f"{nip};{SKILL};{level}\n" for nip, level in zip(nips, (3, 2, 4, 4), strict=True))
    assert programme.take_in("skills", f"NIP;KOMPETENSI;TINGKAT\n{lines}")["counts"]["updated"] == 4
    outcome(programme, employee(programme, nip=nips[3], active=False))
    gap = {"unit": "DISDIK", "competency": SKILL, "level": 3, "needed": 3, "have": 1, "missing": 2}
    assert programme.hr.get("/v1/gaps", params={"unit": "DISDIK"}).body == {"items": [gap], "next": None}
    assert {item["unit"] for item in programme.hr.get("/v1/gaps").body["items"]} == {"DISDIK", "KEL"}
    first = programme.hr.get("/v1/gaps", params={"limit": "1"}).body
    rest = programme.hr.get("/v1/gaps", params={"limit": "1", "cursor": first["next"]}).body
    programme.hr.get("/v1/gaps", params={"cursor": encode([0, None])}).expect(422)
    assert [first["items"][0]["unit"], rest["items"][0]["unit"], rest["next"]] == ["DISDIK", "KEL", None]
    officer = programme.officer("KEC")
    assert [item["unit"] for item in officer.get("/v1/gaps").body["items"]] == ["KEL"]
    officer.get("/v1/gaps", params={"unit": "CITY"}).expect(403)


def test_refusals_speak_two_languages(programme: Programme) -> None:
    """Words are translated, rules are not."""
    body = {"name": "x", "kind": "district", "parent": "KEL"}
    answers = [
        programme.hr.put("/v1/units/KEC", body, version=1, language=say).expect(409) for say in ("id", "en")
    ]
    assert answers[0].body["rule"] == answers[1].body["rule"] == "unit-cycle"
    assert answers[0].body["detail"] != answers[1].body["detail"]


def test_activities_are_paged(programme: Programme) -> None:
    """Oldest first; a cursor of another list is refused."""
    path = f"/v1/batches/{programme.batch(state='closed')}/activity"
    first = programme.hr.get(f"{path}?limit=2").expect(200).body
    rest = programme.hr.get(f"{path}?limit=2&cursor={first['next']}").expect(200).body
    assert [entry["what"] for entry in first["items"] + rest["items"]] == [
        "batch.created",
        "batch.opened",
        "batch.closed",
    ]
    assert rest["next"] is None
    other = programme.hr.get("/v1/units?limit=1").expect(200).body["next"]
    programme.hr.get(f"{path}?cursor={other}").expect(422)


def test_a_search_takes_pages_like_every_list(programme: Programme) -> None:
    """Though a NIP finds one at most."""
    nip = programme.nip()
    programme.person(nip=nip)
    found = programme.hr.post("/v1/employees/search?limit=1", {"nip": nip}).expect(200).body
    assert (len(found["items"]), found["next"]) == (1, None)
    programme.hr.post("/v1/employees/search?limit=0", {"nip": nip}).expect(422)
