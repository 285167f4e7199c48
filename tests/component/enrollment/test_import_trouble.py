"""Imports in trouble: workers that die or stand still, a database that is away or slow."""

import threading
import time
from contextlib import suppress
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
from tests.component.enrollment.programme import HEADING, Programme


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
        time.sleep(1.1)
        return take_rows(*args)

    with monkeypatch.context() as patched:
        patched.setattr(guards, "LONGEST_SECONDS", 1.0)
        patched.setattr(job, "take_rows", takes_too_long)
        while city.hr.get(f"/v1/imports/{endless}").body["state"] != "failed" and rounds < 10:
            rounds += 1
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
