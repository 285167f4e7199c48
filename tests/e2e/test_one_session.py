"""One session posted by a phone reaches the city's figures, through four services, Kafka and MongoDB."""

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

from infra.clock import JAKARTA, day_of, to_wire
from services.reporting import app as reporting
from tests.e2e.conftest import HR, Bina
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
    return to_wire(NOW - timedelta(**before))


class Office:
    """A section in which nobody can draft a letter, and a supervisor who guides a colleague."""

    def __init__(self, bina: Bina) -> None:
        self.bina = bina
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
            "effective_at": ago(days=40),
        }
        pairing = enrollment.post("/v1/pairings", proposal).expect(201).body
        for side in (self.guide, self.learner):
            consent = {"to": "accepted", "effective_at": ago(days=39)}
            pairing = (
                self.bina.by("enrollment", side, "employee")
                .post(f"/v1/pairings/{pairing['id']}/transitions", consent)
                .expect(200)
                .body
            )
        assert pairing["state"] == "active"
        return str(pairing["id"])

    def hold(self) -> Answer:
        """The guide's phone posts the session, again and again until the pairing has arrived."""
        phone = self.bina.by("sessions", self.guide, "employee")
        session = {
            "pairing_id": self.pairing_id,
            "status": "held",
            "started_at": to_wire(STARTED_AT),
            "minutes": 60,
            "place": "on_the_job",
            "summary": "Menyusun surat undangan rapat bersama-sama.",
            "private_note": "Masih ragu pada kalimat penutup.",
            "assessed_level": 3,
        }

        def stored() -> Answer | None:
            answer = phone.put(f"/v1/sessions/{self.session_id}", session)
            if answer.status == 409:
                assert answer.body["rule"] == "pairing-unknown"
                assert answer.body["retry"] is True
                return None
            return answer.expect(201)

        answer = eventually(stored, timeout=30)
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


def test_one_session_reaches_the_citys_figures_and_everybody_concerned(bina: Bina) -> None:
    """Posted, confirmed, endorsed: credit, figures with their evidence, skill, gap, inboxes and mails follow."""
    office = Office(bina)
    reported = bina.hr("reporting")
    bina.settle()
    assert bina.kpis(MONTH)[("gaps_open", None)] == (1, 1, None)

    office.hold()
    assert office.confirm()["credit"] == {"jp": 2, "rule": None, "why": None}
    bina.settle()
    figures = bina.kpis(MONTH)
    assert figures[("sessions", "mentoring")] == (1, 1, None)
    assert figures[("hours", "mentoring")][0] == 1
    assert figures[("reach", None)] == (0.3333, 1, 3)
    assert figures[("jp_mean", None)] == (0.6667, 2, 3)
    assert figures[("confirmation_rate", None)] == (1, 1, 1)
    (record,) = reported.get(f"/v1/kpis/sessions/evidence?period={MONTH}&part=mentoring").expect(200).body["items"]
    assert (record["type"], record["id"], record["unit"]) == ("session", office.session_id, "DISDIK")

    assert bina.inbox(office.head) == [("please_endorse", False)]
    office.endorse()
    eventually(lambda: _completed(bina, office), timeout=30)
    bina.settle()
    assert bina.kpis(MONTH)[("gaps_closed", None)] == (1, 1, None)
    assert bina.kpis(MONTH)[("gaps_open", None)] == (0, 0, None)
    _enrollment_knows(bina, office)
    _people_were_told(bina, office)


def _enrollment_knows(bina: Bina, office: Office) -> None:
    learner = bina.hr().get(f"/v1/employees/{office.learner}").expect(200).body
    (skill,) = learner["skills"]
    assert (skill["competency"], skill["level"], skill["source"]) == (LETTERS, 3, "mastery")
    assert skill["since"] == to_wire(STARTED_AT)
    assert bina.hr().get("/v1/gaps?unit=36.71").expect(200).body["items"] == []


def _completed(bina: Bina, office: Office) -> bool:
    pairing = bina.hr().get(f"/v1/pairings/{office.pairing_id}").expect(200).body
    return bool(pairing["state"] == "completed")


def _people_were_told(bina: Bina, office: Office) -> None:
    assert bina.inbox(office.head) == [("please_endorse", True)]
    assert sorted(bina.inbox(office.guide)) == [("mastered", False), ("pairing_active", False)]
    told = [("mastered", False), ("pairing_active", False), ("please_confirm", True)]
    assert sorted(bina.inbox(office.learner)) == told
    wanted = {
        ("oliva@example.go.id", "Bimbingan dimulai: Menyusun surat dinas"),
        ("warji@example.go.id", "Bimbingan dimulai: Menyusun surat dinas"),
        ("oliva@example.go.id", "Warji Uyainah telah menguasai Menyusun surat dinas"),
        ("warji@example.go.id", "Selamat, Anda telah menguasai Menyusun surat dinas"),
    }
    eventually(lambda: wanted <= set(bina.mails()), timeout=30)
    assert max(bina.mails().values()) == 1


def test_the_whole_log_again_changes_nothing(bina: Bina) -> None:
    """Every event of every service is sent once more: figures, records, inboxes and mails stay as they are."""
    office = Office(bina)
    office.hold()
    office.confirm()
    office.endorse()
    eventually(lambda: _completed(bina, office), timeout=30)
    bina.settle()
    _people_were_told(bina, office)
    before = _all_that_is_seen(bina, office)
    bina.replay()
    assert _all_that_is_seen(bina, office) == before
    reporting.rebuild(bina.settings["reporting"])
    assert _all_that_is_seen(bina, office) == before


def _all_that_is_seen(bina: Bina, office: Office) -> dict[str, Any]:
    people = (office.head, office.guide, office.learner)
    credits_ = bina.by("sessions", office.learner, "employee").get(f"/v1/employees/{office.learner}/credits")
    return {
        "city": bina.kpis(MONTH),
        "unit": bina.kpis(str(YESTERDAY.year), "DISDIK"),
        "inboxes": [bina.inbox(person) for person in people],
        "mails": bina.mails(),
        "deliveries": bina.hr("notifications").get("/v1/deliveries?limit=200").expect(200).body,
        "employees": [bina.hr().get(f"/v1/employees/{person}").expect(200).body for person in people],
        "pairing": bina.hr().get(f"/v1/pairings/{office.pairing_id}").expect(200).body,
        "session": bina.hr("sessions").get(f"/v1/sessions/{office.session_id}").expect(200).body,
        "credits": credits_.expect(200).body,
    }


def test_nothing_private_leaves_the_guide(bina: Bina) -> None:
    """The private note is for the guide alone; a stranger does not even learn that there is a session."""
    office = Office(bina)
    office.hold()
    place = f"/v1/sessions/{office.session_id}"
    note = "Masih ragu pada kalimat penutup."
    assert bina.by("sessions", office.guide, "employee").get(place).expect(200).body["private_note"] == note
    for sub, role in ((office.learner, "employee"), (HR, "hr"), (HR, "auditor")):
        assert note not in str(bina.by("sessions", sub, role).get(place).expect(200).body)
    bina.by("sessions", str(uuid.uuid4()), "employee").get(place).expect(404)
