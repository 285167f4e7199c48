"""Imports of units, employees and skills from their upload to their end."""

import csv
import io
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, PyMongoError, ServerSelectionTimeoutError

from infra.storage import guards
from infra.storage.leases import Lease
from services.enrollment.importing import job
from services.enrollment.importing.completing import complete
from services.enrollment.importing.job import Importer
from services.enrollment.importing.store import Imports
from services.enrollment.importing.taking import take_rows
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


def test_an_import_goes_on_where_a_worker_died(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done stays counted once; the rest is done by the next worker."""
    lines = "".join(f"{city.nip()};Budi;PNS;DISDIK\n" for _ in range(6))
    made = city.upload("employees", f"{HEADING}\n{lines}".encode()).expect(202)

    class Died(BaseException):
        """Not even a worker's last line of defence catches it."""

    real, calls = Imports.save, 0

    def dies(self: Imports, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Died
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Imports, "save", dies)
    with pytest.raises(Died):
        city.work_off(part_rows=2)
    assert city.hr.get(f"/v1/imports/{made.body['id']}").body["progress"] == 0.6667
    city.work_off(part_rows=2)
    done = city.hr.get(f"/v1/imports/{made.body['id']}").body
    assert (done["state"], done["counts"]["created"], done["counts"]["unchanged"]) == ("done", 6, 0)
    assert city.context.store.import_files.count_documents({}) == 0


def test_a_file_that_kills_its_workers_is_given_up(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three have died over it: the fourth doesn't look into it, says so, and goes on with the next."""
    deadly = city.upload("employees", f"{HEADING}\n".encode()).expect(202).body["id"]
    tried = 0

    class Died(BaseException):
        """Not even a worker's last line of defence catches it."""

    def dies(*_: Any) -> None:
        nonlocal tried
        tried += 1
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(job, "read", dies)
        for _ in range(3):
            with pytest.raises(Died):
                city.work_off()
        city.work_off()
    ended = city.hr.get(f"/v1/imports/{deadly}").body
    assert (tried, ended["state"], ended["problem"]["rule"]) == (3, "failed", "gave-up")
    assert city.context.store.import_files.count_documents({}) == 0
    assert city.take_in("employees", f"{HEADING}\n{city.nip()};Budi;PNS;DISDIK\n")["state"] == "done"


def test_trouble_with_the_database_is_no_attempt(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that waits for it counts once, however often it tries."""
    made = city.upload("employees", f"{HEADING}\n".encode()).expect(202).body["id"]
    importer = Importer(city.context)

    def away(*_: Any) -> None:
        raise AutoReconnect("away")

    with monkeypatch.context() as patched:
        patched.setattr(Imports, "content", away)
        for _ in range(5):
            with pytest.raises(AutoReconnect):
                importer.run_next(threading.Event())
    assert importer.run_next(threading.Event())
    assert city.hr.get(f"/v1/imports/{made}").body["state"] == "done"


def test_an_outage_is_waited_out_however_long_it_is(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks like a part that takes too long, but nothing else can be written either."""
    made = city.upload("employees", f"{HEADING}\n".encode()).expect(202).body["id"]
    importer = Importer(city.context)

    def away(*_: Any) -> None:
        raise ServerSelectionTimeoutError("away")

    with monkeypatch.context() as patched:
        patched.setattr(Imports, "content", away)
        with monkeypatch.context() as outage:
            outage.setattr(Lease, "acquire", away)
            for _ in range(5):
                with pytest.raises(ServerSelectionTimeoutError):
                    importer.run_next(threading.Event())
        # The database is back, and slow.
        with pytest.raises(ServerSelectionTimeoutError):
            importer.run_next(threading.Event())
    assert importer.run_next(threading.Event())
    assert city.hr.get(f"/v1/imports/{made}").body["state"] == "done"


def test_a_part_that_never_ends_in_time_is_given_up(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the database answers. Then the next file has its turn."""
    rows = [f"{HEADING}\n{city.nip()};Budi;PNS;DISDIK\n".encode() for _ in range(2)]
    endless, after = (city.upload("employees", each).expect(202).body["id"] for each in rows)
    importer, rounds = Importer(city.context), 0

    def takes_too_long(*args: Any) -> Any:
        nonlocal rounds
        rounds += 1
        time.sleep(1.1)
        return take_rows(*args)

    with monkeypatch.context() as patched:
        patched.setattr(guards, "LONGEST_SECONDS", 1.0)
        patched.setattr(job, "take_rows", takes_too_long)
        while city.hr.get(f"/v1/imports/{endless}").body["state"] != "failed" and rounds < 10:
            with suppress(PyMongoError):
                importer.run_next(threading.Event())
    ended = city.hr.get(f"/v1/imports/{endless}").body
    assert (ended["state"], ended["problem"]["rule"]) == ("failed", "gave-up")
    assert rounds >= 3
    assert importer.run_next(threading.Event())
    assert city.hr.get(f"/v1/imports/{after}").body["state"] == "done"
    assert city.context.store.employees.collection.count_documents({}) == 1


def test_each_part_has_its_own_tries(city: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three run out of time twice, as on a busy day; a third time is too many for one part alone."""
    lines = "".join(f"{city.nip()};Budi;PNS;DISDIK\n" for _ in range(6))
    made = city.upload("employees", f"{HEADING}\n{lines}".encode()).expect(202).body["id"]
    importer, rounds = Importer(city.context, part_rows=2), 0

    def is_late(*args: Any) -> Any:
        nonlocal rounds
        rounds += 1
        if rounds not in (3, 6):
            raise ExecutionTimeout("out of time", 50)
        return take_rows(*args)

    monkeypatch.setattr(job, "take_rows", is_late)
    for _ in range(6):
        with pytest.raises(ExecutionTimeout):
            importer.run_next(threading.Event())
    assert city.hr.get(f"/v1/imports/{made}").body["progress"] == 0.6667
    assert importer.run_next(threading.Event())
    assert city.hr.get(f"/v1/imports/{made}").body["state"] == "failed"


@pytest.mark.parametrize(
    ("error", "longer"), [(ExecutionTimeout("out of time", 50), True), (AutoReconnect("away"), False)]
)
def test_others_have_their_turn_before_what_ran_out_of_time_is_tried_again(
    city: Programme, monkeypatch: pytest.MonkeyPatch, error: PyMongoError, longer: bool
) -> None:
    """Nobody can change people and units while it is tried. Told to stop, the worker doesn't wait for that."""
    city.upload("employees", f"{HEADING}\n".encode()).expect(202)
    pauses: list[float | None] = []

    class Stop(threading.Event):
        """Comes with the first pause."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout)
            self.set()
            return True

    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Imports, "content", fails)
    Importer(city.context).run(Stop())
    assert pauses == [job.REST_SECONDS if longer else job.LOOK_SECONDS]
    assert job.REST_SECONDS >= 10 * job.LOOK_SECONDS


@pytest.mark.parametrize(("where", "time"), [("content", 1), ("rejected_keys", 1), ("rejected_keys", 2)])
def test_a_worker_that_stood_still_leaves_alone_what_another_has_finished(
    city: Programme, monkeypatch: pytest.MonkeyPatch, where: str, time: int
) -> None:
    """Its lease ran out, the file is gone: it neither counts a part once more, nor calls the import failed."""
    lines = "".join(f"{city.nip()};Budi;PNS;DISDIK\n" for _ in range(6))
    made = city.upload("employees", f"{HEADING}\n{lines}".encode()).expect(202)
    real, calls = getattr(Imports, where), 0

    def stands_still(self: Imports, import_id: str) -> Any:
        nonlocal calls
        calls += 1
        if calls == time:
            city.work_off(part_rows=2)
        return real(self, import_id)

    monkeypatch.setattr(Imports, where, stands_still)
    city.work_off(part_rows=2)
    done = city.hr.get(f"/v1/imports/{made.body['id']}").body
    assert (done["state"], done["counts"]["created"], done["counts"]["unchanged"]) == ("done", 6, 0)
    whats = city.context.store.imports.distinct("activity.what")
    assert sorted(whats) == ["import.done", "import.queued", "import.started"]


@pytest.mark.parametrize("end", ["done", "failed"])
def test_no_import_ends_while_its_file_is_kept(city: Programme, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """A worker that dies at the very end leaves no personal data behind for ever."""
    heading = HEADING if end == "done" else "NAMA"
    made = city.upload("employees", f"{heading}\n{city.nip()};Budi;PNS;DISDIK\n".encode()).expect(202)

    class Died(BaseException):
        """Not even a worker's last line of defence catches it."""

    def dies(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(Imports, "drop_file", dies)
        with pytest.raises(Died):
            city.work_off()
    assert city.hr.get(f"/v1/imports/{made.body['id']}").body["state"] in ("queued", "running")
    city.work_off()
    ended = city.hr.get(f"/v1/imports/{made.body['id']}").body
    assert (ended["state"], ended["counts"]["created"]) == (end, end == "done")
    assert city.context.store.import_files.count_documents({}) == 0


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


@pytest.mark.parametrize(("kind", "missing"), [("employees", 7), ("units", 5)])
def test_the_missing_are_ended_by_parts_and_counted_once(
    city: Programme, monkeypatch: pytest.MonkeyPatch, kind: str, missing: int
) -> None:
    """They may be more than one transaction bears. A worker dies between two of them: the next ends the rest."""
    stays = city.nip()
    city.person("CITY", nip=stays)
    if kind == "employees":
        people = [city.person() for _ in range(missing)]
        text = f"{HEADING}\n{stays};Budi Santoso;PNS;CITY\n"
    else:
        people, text = [], "kode;nama;jenis;induk\nCITY;Unit CITY;kota;\n"
    tried = city.take_in(kind, text, complete="true", dry_run="true")
    made = city.upload(kind, text.encode(), params={"complete": "true"}).expect(202).body["id"]
    parts: list[int] = []

    class Died(BaseException):
        """Not even a worker's last line of defence catches it."""

    def dies(*args: Any) -> Any:
        if len(parts) == 2:
            raise Died
        ended = complete(*args)
        parts.append(ended.updated)
        return ended

    with monkeypatch.context() as patched:
        patched.setattr(job, "complete", dies)
        with pytest.raises(Died):
            city.work_off(part_rows=2)
    half = city.hr.get(f"/v1/imports/{made}").body
    assert (parts, half["state"], half["counts"]["updated"]) == ([2, 2], "running", 4)
    city.work_off(part_rows=2)
    done = city.hr.get(f"/v1/imports/{made}").body
    assert (done["state"], done["problem"], done["counts"]) == ("done", None, tried["counts"])
    assert done["counts"]["updated"] == missing
    ended = [city.hr.get(f"/v1/employees/{each}").body for each in people]
    assert [(one["active"], one["version"]) for one in ended] == [(False, 2)] * len(people)


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
