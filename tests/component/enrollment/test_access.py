"""Who may do what: every path with every role, and whose records each may see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from tests.component.enrollment.programme import Programme
from tests.support import Client

ROLES = ("hr", "officer", "employee", "leader", "kpi_reader", "auditor", "admin")
SKILL = "menyusun-surat-dinas"
STRANGER = "33333333-3333-4333-8333-333333333333"

REFERENCE = {"hr", "officer", "employee", "leader", "auditor"}
PEOPLE = {"hr", "officer", "employee", "auditor"}
UNIT = {"name": "x", "kind": "agency", "parent": "CITY"}
BATCH = {
    "name": "b",
    "starts_on": "2027-01-01",
    "ends_on": "2027-01-02",
    "venue": "v",
    "seats": 1,
    "seats_per_unit": 1,
    "partners": [],
}

TABLE: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/v1/units", None, REFERENCE),
    ("GET", "/v1/units/DISDIK", None, REFERENCE),
    ("GET", "/v1/units/DISDIK/activity", None, REFERENCE),
    ("PUT", "/v1/units/NEW", UNIT, {"hr"}),
    ("POST", "/v1/units/NEW/transitions", {"to": "closed"}, {"hr"}),
    ("GET", "/v1/units/DISDIK/needs", None, REFERENCE),
    ("GET", f"/v1/units/DISDIK/needs/{SKILL}", None, REFERENCE),
    ("GET", f"/v1/units/DISDIK/needs/{SKILL}/activity", None, REFERENCE),
    ("PUT", f"/v1/units/DISDIK/needs/{SKILL}", {"people": 2, "level": 3}, {"hr", "officer"}),
    ("GET", "/v1/competencies", None, REFERENCE),
    ("GET", f"/v1/competencies/{SKILL}", None, REFERENCE),
    ("GET", f"/v1/competencies/{SKILL}/activity", None, REFERENCE),
    ("PUT", "/v1/competencies/baru", {"name": "x", "aspect": "attitude"}, {"hr"}),
    ("GET", "/v1/gaps", None, {"hr", "officer", "leader", "auditor"}),
    ("POST", "/v1/imports?kind=units", "file", {"hr"}),
    ("GET", "/v1/imports", None, {"hr", "auditor"}),
    ("GET", "/v1/imports/{import}", None, {"hr", "auditor"}),
    ("GET", "/v1/imports/{import}/rejects.csv", None, {"hr"}),
    ("GET", "/v1/imports/{import}/activity", None, {"hr", "auditor"}),
    ("PUT", "/v1/employees", [], {"hr"}),
    ("GET", "/v1/employees", None, {"hr", "officer", "auditor"}),
    ("POST", "/v1/employees/search", {"nip": "1"}, {"hr", "officer", "auditor"}),
    ("GET", "/v1/employees/{own}", None, PEOPLE),
    ("GET", "/v1/employees/{own}/activity", None, PEOPLE),
    ("POST", "/v1/employees/{own}/guide-approvals", {"competency": SKILL}, {"hr"}),
    ("GET", "/v1/employees/{own}/guide-approvals", None, PEOPLE),
    ("GET", "/v1/employees/{own}/guide-approvals/{approval}", None, PEOPLE),
    ("GET", "/v1/employees/{own}/guide-approvals/{approval}/activity", None, PEOPLE),
    ("POST", "/v1/batches", BATCH, {"hr"}),
    ("GET", "/v1/batches", None, PEOPLE),
    ("GET", "/v1/batches/{batch}", None, PEOPLE),
    ("GET", "/v1/batches/{batch}/activity", None, PEOPLE),
    ("POST", "/v1/batches/{batch}/transitions", {"to": "open"}, {"hr"}),
    ("POST", "/v1/batches/{batch}/participants", {"employee_id": "{own}"}, {"hr", "officer"}),
    ("GET", "/v1/batches/{batch}/participants", None, PEOPLE),
    ("GET", "/v1/participants/{participant}", None, PEOPLE),
    ("GET", "/v1/participants/{participant}/activity", None, PEOPLE),
    ("POST", "/v1/participants/{participant}/transitions", {"to": "withdrawn"}, {"hr", "officer", "employee"}),
    ("POST", "/v1/pairings", "pairing", {"hr", "officer"}),
    ("GET", "/v1/pairings", None, PEOPLE),
    ("GET", "/v1/pairings/{pairing}", None, PEOPLE),
    ("GET", "/v1/pairings/{pairing}/activity", None, PEOPLE),
    ("POST", "/v1/pairings/{pairing}/transitions", {"to": "ended"}, {"hr", "employee"}),
]


@dataclass
class World:
    """One of everything that the paths name, all of it the employee's own and inside of the officer's unit."""

    programme: Programme
    own: str
    guide: str
    elsewhere: str
    ids: dict[str, str]

    def client(self, role: str) -> Client:
        """Someone with one role only."""
        sub = self.own if role == "employee" else STRANGER
        return self.programme.by(sub, role, unit="DISDIK" if role in ("officer", "leader") else None)


@pytest.fixture
def world(programme: Programme) -> World:
    programme.city()
    programme.competency()
    boss = programme.nip()
    guide = programme.person(nip=boss)
    nip = programme.nip()
    own = programme.person(nip=nip, boss=boss)
    programme.hr.put(f"/v1/units/DISDIK/needs/{SKILL}", {"people": 2, "level": 3}).expect(201)
    made = programme.take_in("skills", f"NIP;KOMPETENSI;TINGKAT\n{nip};{SKILL};4\n")
    approval = programme.hr.post(f"/v1/employees/{own}/guide-approvals", {"competency": SKILL}).expect(201)
    batch = programme.batch()
    ids = {
        "own": own,
        "import": made["id"],
        "approval": approval.body["id"],
        "batch": batch,
        "participant": programme.nominate(batch, own),
        "pairing": programme.propose(guide, own),
    }
    return World(programme, own, guide, programme.person("DINKES"), ids)


def filled(text: Any, ids: dict[str, str]) -> Any:
    """The path or body with the world's ids in it."""
    if isinstance(text, dict):
        return {name: filled(value, ids) for name, value in text.items()}
    if isinstance(text, str):
        for name, id_ in ids.items():
            text = text.replace("{" + name + "}", id_)
    return text


def call(world: World, role: str, method: str, path: str, body: Any) -> int:
    """The status that this role gets."""
    client = world.client(role)
    if body == "file":
        return world.programme.upload("units", b"kode;nama;jenis\n", by=client).status
    if body == "pairing":
        return world.programme.try_propose(world.guide, world.own, by=client).status
    return client.request(method, filled(path, world.ids), filled(body, world.ids)).status


@pytest.mark.parametrize("role", ROLES)
def test_every_path_with_every_role(world: World, role: str) -> None:
    """403 for whom the table doesn't name, anything else but 401 and 403 for the others."""
    wrong = []
    for method, path, body, roles in TABLE:
        status = call(world, role, method, path, body)
        if (status == 403) != (role not in roles) or status in (401, 404) or status >= 500:
            wrong.append((method, path, status))
    assert not wrong


@pytest.mark.parametrize("role", ["kpi_reader", "admin"])
def test_who_has_no_right_learns_nothing_of_the_body(world: World, role: str) -> None:
    """403 comes before the body is looked at."""
    client = world.client(role)
    for method, path, _, _ in TABLE:
        client.request(method, filled(path, world.ids), {"unknown": 1}).expect(403)


def test_the_table_names_every_path(programme: Programme) -> None:
    """A new path must say who may use it."""
    named = {(method, shape(path)) for method, path, _, _ in TABLE}
    assert set(routes(programme.app)) - named == {("GET", "/v1/certificates/*")}


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """Method and shape of every path below /v1."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/"):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                shaped = "/".join("*" if part.startswith("<") else part for part in rule.rule.split("/"))
                yield method, shaped


def shape(path: str) -> str:
    """The path with stars for what varies."""
    known = {"DISDIK", "NEW", SKILL, "baru"}
    parts = path.split("?", maxsplit=1)[0].split("/")
    return "/".join("*" if part in known or part.startswith("{") else part for part in parts)


def test_without_a_token_there_is_nothing(world: World) -> None:
    """401 on every path."""
    nobody = world.programme.hr.bearing(None)
    for method, path, _, _ in TABLE:
        assert nobody.request(method, filled(path, world.ids), {}).status == 401, path


def test_contacts_are_for_hr_and_oneself(world: World) -> None:
    """NIP, mail and telephone stay hidden from officers, auditors and supervisors."""
    path = f"/v1/employees/{world.own}"
    seers = {"hr": True, "officer": False, "auditor": False, "employee": True}
    for role, sees in seers.items():
        assert bool(world.client(role).get(path).expect(200).body["nip"]) is sees, role
    assert world.programme.by(world.guide).get(path).expect(200).body["nip"] is None
    listed = world.client("officer").get("/v1/employees").expect(200).body["items"]
    assert {person["nip"] for person in listed} == {None}


def test_an_officer_sees_and_acts_in_the_own_unit_and_below_only(world: World) -> None:
    """What lies elsewhere is hidden, and nothing can be done to it."""
    programme, officer = world.programme, world.client("officer")
    officer.get(f"/v1/employees/{world.elsewhere}").expect(404)
    assert world.elsewhere not in {one["id"] for one in officer.get("/v1/employees").body["items"]}
    officer.get("/v1/employees", params={"unit": "DINKES"}).expect(403)
    nip = programme.hr.get(f"/v1/employees/{world.elsewhere}").body["nip"]
    assert officer.post("/v1/employees/search", {"nip": nip}).expect(200).body["items"] == []
    path = f"/v1/batches/{world.ids['batch']}/participants"
    officer.post(path, {"employee_id": world.elsewhere}).expect(403)
    officer.put(f"/v1/units/DINKES/needs/{SKILL}", {"people": 1, "level": 3}).expect(403)
    programme.try_propose(world.guide, world.elsewhere, by=officer).expect(403)
    other = programme.nominate(world.ids["batch"], world.elsewhere)
    officer.get(f"/v1/participants/{other}").expect(404)
    officer.post(f"/v1/participants/{other}/transitions", {"to": "withdrawn"}).expect(404)
    assert len(officer.get(path).body["items"]) == 1
    below = programme.person("DISDIK-1")
    officer.get(f"/v1/employees/{below}").expect(200)
    officer.post(path, {"employee_id": below}).expect(201)


def test_only_hr_decides_on_participants(world: World) -> None:
    """An officer nominates and may take a nomination back; the participant may withdraw."""
    path = f"/v1/participants/{world.ids['participant']}/transitions"
    for role in ("officer", "employee"):
        world.client(role).post(path, {"to": "accepted"}).expect(403)
    world.client("employee").post(path, {"to": "withdrawn", "effective_at": "2026-11-24T01:00:00Z"}).expect(403)
    world.client("employee").post(path, {"to": "withdrawn"}).expect(200)


def test_a_pairing_is_its_two_peoples_business(world: World) -> None:
    """Strangers don't see it; HR can't consent for anybody; only HR activates."""
    programme, path = world.programme, f"/v1/pairings/{world.ids['pairing']}"
    programme.by(world.elsewhere).get(path).expect(404)
    programme.by(world.elsewhere).post(f"{path}/transitions", {"to": "accepted"}).expect(404)
    assert programme.by(world.elsewhere).get("/v1/pairings").body["items"] == []
    programme.hr.post(f"{path}/transitions", {"to": "accepted"}).expect(403)
    programme.by(world.own).post(f"{path}/transitions", {"to": "active"}).expect(403)
    world.client("officer").post(f"{path}/transitions", {"to": "ended"}).expect(403)
    dated = {"to": "accepted", "effective_at": "2026-11-24T02:00:00Z"}
    programme.by(world.own).post(f"{path}/transitions", dated).expect(200)


def test_a_supervisor_reads_the_reports(world: World) -> None:
    """Their records and pairings, not who else was thought to have potential."""
    supervisor = world.programme.by(world.guide)
    supervisor.get(f"/v1/employees/{world.own}").expect(200)
    supervisor.get(f"/v1/participants/{world.ids['participant']}").expect(404)
    world.programme.by(world.own).get(f"/v1/employees/{world.guide}").expect(404)


def test_the_certificate_code_is_the_holders(programme: Programme) -> None:
    """HR and the holder see it, the officer doesn't."""
    programme.city()
    person = programme.person()
    one = programme.certified(person)
    seen = {
        who: client.get(f"/v1/participants/{one}").expect(200).body["certificate"]
        for who, client in (
            ("hr", programme.hr),
            ("holder", programme.by(person)),
            ("officer", programme.officer("DISDIK")),
        )
    }
    assert seen["hr"] == seen["holder"] != seen["officer"] is None


def test_what_an_auditor_reads_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Who and which record, without anything personal."""
    caplog.set_level("INFO", logger="services.enrollment")
    world.client("auditor").get(f"/v1/employees/{world.own}").expect(200)
    world.client("hr").get(f"/v1/employees/{world.own}").expect(200)
    (entry,) = [record for record in caplog.records if record.message == "audit: read"]
    assert (entry.actor, entry.ids) == (STRANGER, {"employee_id": world.own})  # type: ignore[attr-defined]
