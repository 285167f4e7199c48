"""An office, as the end-to-end tests find it: three people, one need, one pairing."""

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

from infra.clock import JAKARTA, day_of, to_wire
from tests.e2e.conftest import Bina
from tests.support import Answer, eventually

UNITS = """code,name,kind,parent
36.71,Kota Tangerang,city,
DISDIK,Dinas Pendidikan,agency,36.71
"""
HEAD, GUIDE, LEARNER = "196805121990031004", "198007152007102022", "199405052021012036"
EMPLOYEES = f"""NIP;NAMA;STATUS;UNIT_KERJA;JABATAN;JENIS_JABATAN;ESELON;NIP_ATASAN;EMAIL;NO_HP
{HEAD};Nardi Nurdiyanti;PNS;DISDIK;Kepala Dinas;struktural;II.b;;nardi@example.go.id;
{GUIDE};Oliva Situmorang;PNS;DISDIK;Kepala Seksi;struktural;IV.a;{HEAD};oliva@example.go.id;
{LEARNER};Warji Uyainah;PNS;DISDIK;Pengelola Surat;pelaksana;;{GUIDE};warji@example.go.id;
"""
LETTERS = "menyusun-surat-dinas"
NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = day_of(NOW) - timedelta(days=1)
STARTED_AT = datetime.combine(YESTERDAY, time(10, 0), JAKARTA)
MONTH = YESTERDAY.isoformat()[:7]


def ago(**before: float) -> str:
    """That long before now, as it is written."""
    return to_wire(NOW - timedelta(**before))


class Office:
    """A section in which nobody can draft a letter, and a supervisor who guides a colleague."""

    def __init__(self, bina: Bina, paired_days: int = 40) -> None:
        self.bina = bina
        self._paired_days = paired_days
        assert bina.import_file("units", UNITS, ago(days=400))["counts"]["created"] == 2
        assert bina.import_file("employees", EMPLOYEES, ago(days=400))["counts"]["created"] == 3
        self.head, self.guide, self.learner = (bina.employee(nip)["id"] for nip in (HEAD, GUIDE, LEARNER))
        hr = bina.hr()
        names = {"name": "Menyusun surat dinas", "name_en": "Drafting official letters"}
        hr.put(f"/v1/competencies/{LETTERS}", {**names, "aspect": "technique"}).expect(201)
        need = {"people": 1, "level": 3, "effective_at": ago(days=300)}
        hr.put(f"/v1/units/DISDIK/needs/{LETTERS}", need).expect(201)
        self.pairing_id: str = self._paired()
        self.session_id = str(uuid.uuid4())

    def _paired(self) -> str:
        enrollment = self.bina.hr()
        proposal = {
            "kind": "mentoring",
            "guide_id": self.guide,
            "learner_id": self.learner,
            "competency": LETTERS,
            "target_level": 3,
            "due_on": (day_of(NOW) + timedelta(days=90)).isoformat(),
            "effective_at": ago(days=self._paired_days),
        }
        pairing = enrollment.post("/v1/pairings", proposal).expect(201).body
        for side in (self.guide, self.learner):
            consent = {"to": "accepted", "effective_at": ago(days=self._paired_days - 1)}
            pairing = (
                self.bina.by("enrollment", side, "employee")
                .post(f"/v1/pairings/{pairing['id']}/transitions", consent)
                .expect(200)
                .body
            )
        assert pairing["state"] == "active"
        return str(pairing["id"])

    def session(self, started_at: datetime, **more: Any) -> dict[str, Any]:
        """What a phone posts of one session."""
        return {
            "pairing_id": self.pairing_id,
            "status": "held",
            "started_at": to_wire(started_at),
            "minutes": 60,
            "place": "on_the_job",
            "summary": "Menyusun surat undangan rapat bersama-sama.",
            **more,
        }

    def hold(self) -> Answer:
        """The guide's phone posts the session, again and again until the pairing has arrived."""
        phone = self.bina.by("sessions", self.guide, "employee")
        session = self.session(STARTED_AT, private_note="Masih ragu pada kalimat penutup.", assessed_level=3)

        def stored() -> Answer | None:
            answer = phone.put(f"/v1/sessions/{self.session_id}", session)
            if answer.status == 409:
                assert answer.body["rule"] in {"pairing-unknown", "pairing-not-active"}
                assert answer.body["retry"] is True
                return None
            return answer.expect(201)

        answer = eventually(stored)
        assert answer is not None
        return answer

    def confirm(self) -> dict[str, Any]:
        """The learner's phone confirms it."""
        phone = self.bina.by("sessions", self.learner, "employee")
        place = f"/v1/sessions/{self.session_id}/transitions"
        body: dict[str, Any] = phone.post(place, {"to": "confirmed"}).expect(200).body
        return body

    def endorse(self) -> None:
        """The guide is the learner's supervisor, so the guide's own supervisor endorses."""
        phone = self.bina.by("sessions", self.head, "employee")
        (asked,) = phone.get("/v1/endorsements?state=open").expect(200).body["items"]
        assert (asked["learner_id"], asked["endorser_id"]) == (self.learner, self.head)
        phone.post(f"/v1/endorsements/{asked['id']}/transitions", {"to": "endorsed"}).expect(200)
