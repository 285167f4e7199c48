"""Imports of units, employees and skills from their upload to their end."""

import csv
import io
import time
from pathlib import Path

import pytest

from tests.component.enrollment.programme import HEADING, Programme, TestClock

DATA = Path(__file__).parents[3] / "demo" / "data"


def data(name: str) -> bytes:
    """One of the project's files."""
    return (DATA / name).read_bytes()


def test_every_broken_row_ends_as_expected(programme: Programme) -> None:
    """What a row is blamed for is what the expected file says, row by row."""
    programme.take_in("units", data("units.csv"))
    done = programme.take_in("employees", data("employees_broken.csv"))
    blamed = {row["row"]: row["field"] for row in programme.rejects(done["id"])}
    expected = list(csv.DictReader(io.StringIO(data("employees_broken.expected.csv").decode())))
    assert blamed == {row["row"]: row["field"] for row in expected if row["outcome"] == "rejected"}
    counts = {"rows": 28, "created": 7, "updated": 0, "unchanged": 0, "rejected": 21}
    assert (done["state"], done["counts"]) == ("done", counts)


def test_a_city_is_imported_quickly_and_again_without_change(programme: Programme) -> None:
    """148 units and 1,200 people; a second time nothing changes, and no version moves."""
    units = programme.take_in("units", data("units.csv"))
    assert units["counts"]["created"] == 148
    # Of the processor: how long the machine has something else to do says nothing.
    started = time.process_time()
    people = programme.take_in("employees", data("employees.csv"))
    took = time.process_time() - started
    assert people["counts"] == {"rows": 1200, "created": 1200, "updated": 0, "unchanged": 0, "rejected": 0}
    assert took < 5, f"{took:.1f} s"
    again = programme.take_in("employees", data("employees.csv"))
    assert again["counts"]["unchanged"] == 1200


def test_a_dry_run_tells_and_changes_nothing(city: Programme) -> None:
    """The same counts and rejected rows as the real one would have."""
    boss = city.nip()
    text = f"{HEADING};NIP_ATASAN\n{city.nip()};Budi;PNS;DISDIK;{boss}\n{boss};Ani;PNS;DISDIK;\nx;y;PNS;DISDIK;\n"
    tried = city.take_in("employees", text, dry_run="true")
    assert city.hr.get("/v1/employees").body["items"] == []
    real = city.take_in("employees", text)
    assert tried["counts"] == real["counts"]
    assert (real["counts"]["created"], real["counts"]["rejected"]) == (2, 1)
    assert city.rejects(tried["id"]) == city.rejects(real["id"])


@pytest.mark.parametrize(("kind", "headings"), [("employees", HEADING), ("units", "KODE;NAMA;JENIS;INDUK")])
def test_a_complete_file_without_a_row_ends_nothing(city: Programme, kind: str, headings: str) -> None:
    """Whoever exports too little by mistake must not send a whole city home."""
    somebody = city.person()
    done = city.take_in(kind, f"{headings}\n", complete="true")
    assert (done["state"], done["problem"]["rule"]) == ("done", "complete-empty")
    assert done["counts"]["updated"] == 0
    assert city.hr.get(f"/v1/employees/{somebody}").body["active"]


def test_a_file_in_parts_knows_its_supervisors(city: Programme) -> None:
    """Small parts, supervisors last in the file, one of them rejected: as if it were taken in at once."""
    nips = [city.nip() for _ in range(6)]
    bosses = [nips[2], nips[2], nips[5], nips[4], nips[5], ""]
    names = ["Budi", "Ani", "Siti", "Joko", "", "Eko"]
    lines = "".join(f"{n};{name};PNS;DISDIK;{boss}\n" for n, name, boss in zip(nips, names, bosses, strict=True))
    made = city.upload("employees", f"{HEADING};NIP_ATASAN\n{lines}".encode()).expect(202)
    city.work_off(part_rows=2)
    done = city.hr.get(f"/v1/imports/{made.body['id']}").body
    assert done["counts"] == {"rows": 6, "created": 4, "updated": 0, "unchanged": 0, "rejected": 2}
    assert [(row["row"], row["field"]) for row in city.rejects(done["id"])] == [
        ("5", "supervisor"),
        ("6", "name"),
    ]


def test_a_complete_file_retires_the_missing(city: Programme) -> None:
    """Unless a NIP can't be read: then nobody can be said to be missing."""
    stays, goes = city.nip(), city.nip()
    gone = [city.person(nip=stays), city.person(nip=goes)][1]
    row = f"{stays};Budi Santoso;PNS;DISDIK\n"
    unsure = city.take_in("employees", f"{HEADING}\n{row}123;Ani;PNS;DISDIK\n", complete="true")
    assert unsure["problem"]["rule"] == "complete-skipped"
    assert city.hr.get(f"/v1/employees/{gone}").body["active"] is True
    sure = city.take_in("employees", f"{HEADING}\n{row}", complete="true")
    assert sure["counts"]["updated"] == 1
    assert city.hr.get(f"/v1/employees/{gone}").body["active"] is False


def test_a_complete_file_of_units_closes_none_that_was_in_use_at_its_time(programme: Programme) -> None:
    """Somebody left the unit after that; a file of an earlier time must not close it behind their back."""
    city = programme
    for code, parent in (("CITY", None), ("DISDIK", "CITY"), ("DINKES", "CITY")):
        city.unit(code, parent, effective_at="2016-01-01T00:00:00Z")
    nip = city.nip()
    city.person("DINKES", nip=nip, effective_at="2020-01-01T00:00:00Z")
    city.person("DISDIK", nip=nip, effective_at="2024-01-01T00:00:00Z")
    units = "kode;nama;jenis;induk\nCITY;Unit CITY;kota;\nDISDIK;Unit DISDIK;dinas;CITY\n"
    earlier = city.take_in("units", units, complete="true", effective_at="2022-01-01T00:00:00Z")
    assert earlier["problem"]["rule"] == "units-in-use"
    assert city.hr.get("/v1/units/DINKES").body["state"] == "active"
    assert city.take_in("units", units, complete="true")["problem"] is None
    assert city.hr.get("/v1/units/DINKES").body["state"] == "closed"


@pytest.mark.parametrize("code", ["", "KEL/1"])
def test_a_complete_file_of_units_with_an_unreadable_code_closes_nothing(city: Programme, code: str) -> None:
    """It may be any unit's."""
    done = city.take_in("units", f"kode;nama;jenis;induk\n{code};Unit;kota;\n", complete="true")
    assert (done["problem"]["rule"], done["counts"]["updated"]) == ("complete-codes", 0)
    assert city.hr.get("/v1/units/KEL").body["state"] == "active"


def test_a_complete_file_of_units_closes_what_is_missing_and_unused(city: Programme) -> None:
    """A unit with people stays, and so does all above it."""
    city.person("KEL")
    done = city.take_in(
        "units", "kode;nama;jenis;induk\nCITY;Unit CITY;kota;\nDINKES;Unit DINKES;dinas;CITY\n", complete="true"
    )
    assert done["problem"]["rule"] == "units-in-use"
    units = {unit["code"]: unit["state"] for unit in city.hr.get("/v1/units").body["items"]}
    assert units == {
        "CITY": "active",
        "DINKES": "active",
        "DISDIK": "closed",
        "DISDIK-1": "closed",
        "KEC": "active",
        "KEL": "active",
    }


def test_skills_are_imported_with_their_date(city: Programme) -> None:
    """Who, what and how well must be known; a level is not declared twice."""
    city.competency("melayani", "attitude")
    nip = city.nip()
    person = city.person(nip=nip, effective_at="2020-01-01T00:00:00Z")
    text = f"NIP;KOMPETENSI;TINGKAT\n{nip};melayani;2\n{nip};menari;2\n{nip};melayani;3\n{city.nip()};melayani;1\n"
    text += f"{nip};tari;5\n"
    done = city.take_in("skills", text, effective_at="2021-01-01T00:00:00Z")
    assert done["counts"] == {"rows": 5, "created": 0, "updated": 1, "unchanged": 0, "rejected": 4}
    assert [row["field"] for row in city.rejects(done["id"])] == ["competency", "nip", "nip", "level"]
    skill = {"competency": "melayani", "level": 2, "since": "2021-01-01T00:00:00Z", "source": "import"}
    assert city.hr.get(f"/v1/employees/{person}").body["skills"] == [skill]
    early = city.take_in(
        "skills", f"NIP;KOMPETENSI;TINGKAT\n{nip};melayani;4\n", effective_at="2019-01-01T00:00:00Z"
    )
    assert early["counts"]["rejected"] == 1


def test_a_file_that_nobody_dated_bears_what_was_recorded_since(city: Programme, clock: TestClock) -> None:
    """Between its upload and its turn people change, and the worker's clock is not as far as that of the API."""
    city.competency()
    nip, later = city.nip(), city.nip()
    person = {"nip": nip, "name": "Budi", "status": "pns", "unit": "DISDIK"}
    unit = {"name": "Dinas", "kind": "agency", "parent": "CITY"}
    for body in (person, {**person, "unit": "KEL"}):
        assert city.hr.put("/v1/employees", body).expect(200).body["items"][0]["problem"] is None
    city.take_in("skills", f"NIP;KOMPETENSI;TINGKAT\n{nip};menyusun-surat-dinas;2\n")
    files = {
        "employees": f"{HEADING}\n{nip};Budi;PNS;DISDIK\n",
        "units": "KODE;NAMA;JENIS;INDUK\nDISDIK;Dinas Baru;agency;CITY\n",
        "skills": f"NIP;KOMPETENSI;TINGKAT\n{nip};menyusun-surat-dinas;3\n{later};menyusun-surat-dinas;1\n",
    }
    made = [city.upload(kind, text.encode()).expect(202).body["id"] for kind, text in files.items()]
    clock.forward(seconds=2)
    for body in ({**person, "unit": "KEL", "name": "Budi S."}, {**person, "nip": later}):
        assert city.hr.put("/v1/employees", body).expect(200).body["items"][0]["problem"] is None
    city.hr.put("/v1/units/DISDIK", unit, version=1).expect(200)
    clock.forward(seconds=-4)
    city.work_off()
    assert [city.hr.get(f"/v1/imports/{id_}").body["counts"]["updated"] for id_ in made] == [1, 1, 2]
    for document in city.context.store.employees.collection.find():
        effective = [event["effective_at"] for event in document["events"]]
        assert effective == sorted(effective)


def test_what_an_import_refuses_at_once(city: Programme) -> None:
    """Wrong kind, no file, the future, too large, no multipart."""
    good = f"{HEADING}\n".encode()
    city.upload("people", good).expect(422)
    city.upload("skills", good, params={"complete": "true"}).expect(422)
    city.upload("employees", good, params={"effective_at": "2030-01-01T00:00:00Z"}).expect(409)
    city.upload("employees", b"x" * (10 * 1024 * 1024 + 1)).expect(413)
    city.hr.post("/v1/imports?kind=employees", {}).expect(415)


def test_a_repeated_upload_is_one_import(city: Programme) -> None:
    """The same key and file give the first answer; another file is 422."""
    content = f"{HEADING}\n".encode()
    first = city.upload("employees", content, key="k").expect(202)
    assert city.upload("employees", content, key="k").expect(202).body["id"] == first.body["id"]
    city.upload("employees", content + b"\n", key="k").expect(422)
    assert len(city.hr.get("/v1/imports").body["items"]) == 1
