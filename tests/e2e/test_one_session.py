"""One session posted by a phone reaches the city's figures, through four services, Kafka and MongoDB."""

import uuid
from typing import Any

from infra.clock import to_wire
from services.reporting import app as reporting
from tests.e2e.conftest import HR, Bina
from tests.e2e.office import LETTERS, MONTH, STARTED_AT, YESTERDAY, Office
from tests.support import eventually


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
    eventually(lambda: _completed(bina, office))
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
    eventually(lambda: wanted <= set(bina.mails()))
    assert max(bina.mails().values()) == 1


def test_the_whole_log_again_changes_nothing(bina: Bina) -> None:
    """Every event of every service is sent once more: figures, records, inboxes and mails stay as they are."""
    office = Office(bina)
    office.hold()
    office.confirm()
    office.endorse()
    eventually(lambda: _completed(bina, office))
    bina.settle()
    _people_were_told(bina, office)
    # A mail is at its addressee's before it is written down as sent.
    waiting = "/v1/deliveries?state=waiting"
    eventually(lambda: not bina.hr("notifications").get(waiting).expect(200).body["items"])
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
