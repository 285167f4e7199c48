"""The events that enrollment publishes, and its own smaller readers of others' events.

An event carries the aggregate's whole public state: ids, codes, dates and numbers, never a name or free text.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from infra.clock import to_wire
from infra.storage.aggregates import Record

from .domain.batches import Batch
from .domain.competencies import Competency, Need
from .domain.employees import Employee
from .domain.guides import Approval
from .domain.pairings import Pairing
from .domain.participants import Participant
from .domain.units import Unit

TOPIC = "enrollment.events"
PEOPLE = "enrollment.people"

Data = Mapping[str, Any]


class EndorsementSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What enrollment reads of `endorsement.*`. at: when the assessing session began."""

    pairing_id: str
    learner_id: str
    competency: str
    level: int
    state: str
    at: datetime
    decided_at: datetime | None = None


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
        "active_at": _wire(state.active_at),
        "ended_at": _wire(state.ended_at),
        "history": [{"state": step.state, "at": to_wire(step.at)} for step in state.history],
    }


def _wire(instant: datetime | None) -> str | None:
    return None if instant is None else to_wire(instant)
