"""The events that enrollment publishes, and its own smaller readers of others' events.

An event carries the aggregate's whole public state: ids, codes, dates and numbers, never a name or free text.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from marshmallow import Schema

from infra.clock import to_wire
from infra.messaging.asyncapi import Published
from infra.problems import Text
from infra.storage.aggregates import Record

from .domain.batches import Batch
from .domain.competencies import Competency, Need
from .domain.employees import Employee
from .domain.guides import Approval
from .domain.pairings import Pairing
from .domain.participants import Participant
from .domain.units import Unit
from .schemas import events as schemas

TOPIC = "enrollment.events"
PEOPLE = "enrollment.people"

Data = Mapping[str, Any]


class EndorsementSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What enrollment reads of `endorsement.*`. assessed_at: when the assessing session began."""

    pairing_id: str
    learner_id: str
    competency: str
    level: int
    state: str
    assessed_at: datetime
    decided_at: datetime | None = None


class EndorsementSeenFirst(EndorsementSeen, frozen=True, kw_only=True):
    """The same in version 1, in which the log holds what was sent before there was another."""

    assessed_at: datetime = msgspec.field(name="at")


ENDORSEMENTS: Mapping[int, type[EndorsementSeen]] = {1: EndorsementSeenFirst, 2: EndorsementSeen}
"""By version. Both are read for ever: one of them, or both, may come of each endorsement."""


def unit(state: Unit) -> Data:
    """Data of `unit.*`."""
    now = state.now
    parts = [
        {
            "from": to_wire(form.since),
            "name": form.name,
            "kind": form.kind,
            "parent": form.parent,
            "state": form.state,
        }
        for form in state.history
    ]
    return {
        "code": state.id,
        "name": now.name,
        "kind": now.kind,
        "parent": now.parent,
        "state": now.state,
        "history": parts,
    }


def employee(state: Employee) -> Data:
    """Data of `employee.*`."""
    placements = [
        {
            "from": to_wire(placement.since),
            "unit": placement.unit,
            "supervisor_id": placement.supervisor_id,
            "active": placement.active,
            "status": placement.status,
            "position_kind": placement.position_kind,
            "echelon": placement.echelon,
        }
        for placement in state.history
    ]
    skills = [
        {
            "competency": skill.competency,
            "level": skill.level,
            "since": to_wire(skill.since),
            "source": skill.source,
            "endorsement_id": skill.endorsement_id,
        }
        for skill in state.skills
    ]
    return {"id": state.id, "active": state.now.active, "history": placements, "skills": skills}


def person(state: Employee) -> Record:
    """The record of `enrollment.people`: the name and address that other services need."""
    data = {"id": state.id, "name": state.name, "email": state.email}
    return Record(type="person.changed", topic=PEOPLE, data=data)


def competency(state: Competency) -> Data:
    """Data of `competency.*`."""
    return {"code": state.id, "name": state.name, "name_en": state.name_en, "aspect": state.aspect}


def need(state: Need) -> Data:
    """Data of `need.*`."""
    demands = [
        {"from": to_wire(demand.since), "people": demand.people, "level": demand.level} for demand in state.history
    ]
    return {"unit": state.unit, "competency": state.competency, "history": demands}


def batch(state: Batch) -> Data:
    """Data of `batch.*`."""
    return {
        "id": state.id,
        "name": state.name,
        "state": state.state,
        "starts_on": state.starts_on.isoformat(),
        "ends_on": state.ends_on.isoformat(),
        "venue": state.venue,
        "seats": state.seats,
        "seats_per_unit": state.seats_per_unit,
        "jp": state.jp,
        "partners": list(state.partners),
        "history": [{"state": step.state, "at": to_wire(step.at)} for step in state.history],
    }


def participant(state: Participant) -> Data:
    """Data of `participant.*`."""
    return {
        "id": state.id,
        "batch_id": state.batch_id,
        "employee_id": state.employee_id,
        "unit": state.unit,
        "own_unit": state.own_unit,
        "state": state.state,
        "promoted": state.promoted,
        "certified_at": _wire(state.certified_at),
        "history": [
            {"state": step.state, "at": to_wire(step.at), "recorded_at": to_wire(step.recorded_at)}
            for step in state.history
        ],
    }


def approval(state: Approval) -> Data:
    """Data of `approval.created`."""
    return {
        "id": state.id,
        "employee_id": state.employee_id,
        "competency": state.competency,
        "at": to_wire(state.at),
    }


def pairing(state: Pairing) -> Data:
    """Data of `pairing.*`."""
    return {
        "id": state.id,
        "kind": state.kind,
        "guide_id": state.guide_id,
        "learner_id": state.learner_id,
        "competency": state.competency,
        "target_level": state.target_level,
        "due_on": state.due_on.isoformat(),
        "state": state.state,
        "guide_accepted": state.guide_accepted,
        "learner_accepted": state.learner_accepted,
        "escalated": state.escalated,
        "active_at": _wire(state.active_at),
        "ended_at": _wire(state.ended_at),
        "history": [{"state": step.state, "at": to_wire(step.at)} for step in state.history],
    }


def _wire(instant: datetime | None) -> str | None:
    return None if instant is None else to_wire(instant)


def _kinds(schema: Schema, **kinds: Text) -> tuple[Published, ...]:
    """The events of one aggregate, named by the schema of their data."""
    aggregate = type(schema).__name__.removesuffix("Data").lower()
    return tuple(Published(f"{aggregate}.{name}", TOPIC, schema, about) for name, about in kinds.items())


PUBLISHED: tuple[Published, ...] = (
    *_kinds(
        schemas.UnitData(),
        created=Text("Unit dicatat.", "A unit was recorded."),
        changed=Text("Nama, jenis atau induk unit berubah.", "Name, kind or parent of a unit changed."),
        closed=Text("Unit ditutup.", "A unit was closed."),
    ),
    *_kinds(
        schemas.EmployeeData(),
        created=Text("Pegawai dicatat.", "An employee was recorded."),
        changed=Text(
            "Penempatan, data atau tingkat kompetensi pegawai berubah.",
            "Placement, data or levels of an employee changed.",
        ),
    ),
    Published(
        "person.changed",
        PEOPLE,
        schemas.PersonData(),
        Text("Nama atau alamat surel pegawai.", "Name or mail address of an employee."),
    ),
    *_kinds(
        schemas.CompetencyData(),
        created=Text("Kompetensi dicatat.", "A competency was recorded."),
        changed=Text("Kompetensi berubah.", "A competency changed."),
    ),
    *_kinds(
        schemas.NeedData(),
        created=Text("Kebutuhan unit dicatat.", "A unit's need was recorded."),
        changed=Text("Kebutuhan unit berubah atau berakhir.", "A unit's need changed or ended."),
    ),
    *_kinds(
        schemas.BatchData(),
        created=Text("Angkatan dibuat.", "A batch was made."),
        opened=Text("Angkatan dibuka untuk pengusulan.", "A batch was opened for nominations."),
        closed=Text("Pengusulan ditutup.", "Nominations were closed."),
        started=Text("Pelatihan dimulai.", "The training began."),
        finished=Text("Angkatan selesai.", "The batch is finished."),
        cancelled=Text("Angkatan dibatalkan.", "The batch was cancelled."),
    ),
    *_kinds(
        schemas.ParticipantData(),
        nominated=Text("Pegawai diusulkan.", "An employee was nominated."),
        accepted=Text("Diterima, mungkin dari daftar tunggu.", "Accepted, perhaps off the waiting list."),
        waitlisted=Text("Masuk daftar tunggu.", "Put on the waiting list."),
        declined=Text("Tidak diterima.", "Declined."),
        attended=Text("Hadir.", "Attended."),
        absent=Text("Tidak hadir.", "Absent."),
        certified=Text("Lulus dan bersertifikat: menjadi perwakilan.", "Certified: now a representative."),
        not_certified=Text("Tidak lulus.", "Not certified."),
        withdrawn=Text("Mundur atau ditarik.", "Withdrawn."),
    ),
    *_kinds(
        schemas.ApprovalData(),
        created=Text("Pegawai disetujui sebagai pembimbing.", "An employee was approved as a guide."),
    ),
    *_kinds(
        schemas.PairingData(),
        proposed=Text("Pasangan bimbingan diusulkan.", "A pairing was proposed."),
        accepted=Text("Satu pihak menyetujui.", "One side consented."),
        activated=Text("Pasangan bimbingan mulai berjalan.", "The pairing is at work."),
        completed=Text("Tingkat sasaran dikuasai.", "The target level is mastered."),
        ended=Text("Pasangan bimbingan berakhir atau ditolak.", "The pairing ended or was declined."),
        escalated=Text("Tujuh hari tanpa jawaban: diteruskan ke pengelola.", "Seven days of silence: it is HR's."),
    ),
)
CONSUMED = ("sessions.events",)
