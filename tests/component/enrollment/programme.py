"""Short ways to bring enrollment into a state, over HTTP as its callers would."""

import csv
import io
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask

from services.enrollment.context import Context
from services.enrollment.importing.job import Importer
from tests.conftest import Tokens
from tests.support import Answer, Client

HR = "11111111-1111-4111-8111-111111111111"
ANY = str(uuid.UUID(int=7, version=4))
HEADING = "NIP;NAMA;STATUS;UNIT_KERJA"
"""The columns that a file of employees must have."""


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Moves it: `days=7`."""
        self.now += timedelta(**by)


class Programme:
    """The API and the shortest ways to fill it."""

    def __init__(self, app: Flask, context: Context, tokens: Tokens) -> None:
        self.app = app
        self.context = context
        self._tokens = tokens
        self._serial = 0

    def by(self, sub: str, *roles: str, unit: str | None = None) -> Client:
        """A client for someone with these roles (`employee` unless given)."""
        return Client(self.app, self._tokens(sub, roles or ("employee",), unit))

    @property
    def hr(self) -> Client:
        """HR, who is no employee here."""
        return self.by(HR, "hr")

    def officer(self, unit: str) -> Client:
        """The officer of a unit."""
        return self.by(ANY, "officer", unit=unit)

    # --- units and people

    def unit(self, code: str, parent: str | None = None, kind: str = "agency", **more: Any) -> str:
        """A unit; gives its code."""
        body = {"name": f"Unit {code}", "kind": kind if parent else "city", "parent": parent, **more}
        self.hr.put(f"/v1/units/{code}", body).expect(200, 201)
        return code

    def city(self) -> None:
        """A small city: two agencies, one with a section, and a district with a village."""
        self.unit("CITY")
        self.unit("DISDIK", "CITY")
        self.unit("DISDIK-1", "DISDIK", "section")
        self.unit("DINKES", "CITY")
        self.unit("KEC", "CITY", "district")
        self.unit("KEL", "KEC", "village")

    def nip(self) -> str:
        """A NIP that nobody has yet."""
        self._serial += 1
        return f"19860926{2000 + self._serial // 990:04d}051{self._serial % 990 + 1:03d}"

    def person(self, unit: str = "DISDIK", *, boss: str | None = None, **more: Any) -> str:
        """An employee; gives the id. boss: NIP of the supervisor."""
        body = {"nip": self.nip(), "name": "Budi Santoso", "status": "pns", "unit": unit, "supervisor_nip": boss}
        answer = self.hr.put("/v1/employees", {**body, **more}).expect(200)
        item = answer.body["items"][0]
        assert item["outcome"] in ("created", "updated", "unchanged"), item
        return str(item["id"])

    def competency(self, code: str = "menyusun-surat-dinas", aspect: str = "technique") -> str:
        """A competency; gives its code."""
        body = {"name": code, "aspect": aspect}
        self.hr.put(f"/v1/competencies/{code}", body).expect(200, 201)
        return code

    # --- batches

    def batch(self, *, state: str = "open", **more: Any) -> str:
        """A batch, brought to a state; gives its id."""
        body = {
            "name": "Angkatan 1",
            "starts_on": "2026-12-01",
            "ends_on": "2026-12-04",
            "venue": "Sawangan, Depok",
            "seats": 40,
            "seats_per_unit": 1,
            "partners": ["Swiss-German University"],
        }
        made = self.hr.post("/v1/batches", {**body, **more}).expect(201)
        for step in ("open", "closed", "running", "finished"):
            if made.body["state"] == state:
                break
            made = self.move("batches", made.body["id"], step, effective_at=more.get("effective_at"))
        return str(made.body["id"])

    def nominate(self, batch: str, employee: str, **more: Any) -> str:
        """A participant; gives the id."""
        answer = self.hr.post(f"/v1/batches/{batch}/participants", {"employee_id": employee, **more})
        return str(answer.expect(201).body["id"])

    def move(self, what: str, id_: str, to: str, *, by: Client | None = None, **more: Any) -> Answer:
        """A transition that must succeed."""
        return self.try_move(what, id_, to, by=by, **more).expect(200)

    def try_move(self, what: str, id_: str, to: str, *, by: Client | None = None, **more: Any) -> Answer:
        """A transition."""
        return (by or self.hr).post(f"/v1/{what}/{id_}/transitions", {"to": to, **more})

    def certified(self, employee: str, **more: Any) -> str:
        """Makes somebody a representative; gives the participant's id."""
        batch = self.batch(**more)
        one = self.nominate(batch, employee)
        self.move("participants", one, "accepted")
        self.move("batches", batch, "closed")
        self.move("batches", batch, "running")
        self.move("participants", one, "attended")
        self.move("participants", one, "certified")
        return one

    # --- pairings

    def propose(self, guide: str, learner: str, **more: Any) -> str:
        """A proposed pairing; gives its id."""
        return str(self.try_propose(guide, learner, **more).expect(201).body["id"])

    def try_propose(self, guide: str, learner: str, *, by: Client | None = None, **more: Any) -> Answer:
        """A proposal."""
        body = {
            "kind": "mentoring",
            "guide_id": guide,
            "learner_id": learner,
            "competency": "menyusun-surat-dinas",
            "target_level": 3,
            "due_on": "2027-02-28",
        }
        return (by or self.hr).post("/v1/pairings", {**body, **more})

    # --- files

    def upload(self, kind: str, content: bytes, *, by: Client | None = None, **options: Any) -> Answer:
        """POSTs a file."""
        boundary = "-----bina"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="berkas.csv"\r\n'
        raw = head.encode() + b"Content-Type: text/csv\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
        params: Mapping[str, Any] = {"kind": kind, **options.pop("params", {})}
        kind_of = f"multipart/form-data; boundary={boundary}"
        return (by or self.hr).post("/v1/imports", raw=raw, content_type=kind_of, params=params, **options)

    def take_in(self, kind: str, content: bytes | str, **params: Any) -> dict[str, Any]:
        """Imports a file and works the queue off; gives the import as it ended."""
        raw = content.encode() if isinstance(content, str) else content
        made = self.upload(kind, raw, params=params).expect(202)
        self.work_off()
        body: dict[str, Any] = self.hr.get(f"/v1/imports/{made.body['id']}").expect(200).body
        return body

    def work_off(self, part_rows: int = 2000) -> None:
        """Does what the worker's import part would do, once the lease of one that died or stands still is over."""
        self.context.store.database["leases"].delete_many({})
        importer = Importer(self.context, part_rows)
        while importer.run_next(threading.Event()):
            pass

    def rejects(self, import_id: str, language: str = "en") -> list[dict[str, str]]:
        """The rejected rows as a spreadsheet would show them."""
        answer = self.hr.get(f"/v1/imports/{import_id}/rejects.csv", language=language).expect(200)
        text = str(answer.body).lstrip("\ufeff")
        return list(csv.DictReader(io.StringIO(text), delimiter=next(sign for sign in ";,|\t" if sign in text)))
