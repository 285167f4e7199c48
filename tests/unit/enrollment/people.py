"""Short ways to make the things that the rules of enrollment speak of."""

from datetime import UTC, date, datetime
from typing import Any

from services.enrollment.domain.batches import Batch, BatchStep
from services.enrollment.domain.employees import Employee, Placement
from services.enrollment.domain.pairings import Pairing, PairingStep
from services.enrollment.domain.participants import Participant, ParticipantState, Step
from services.enrollment.domain.units import Tree, Unit, UnitForm, UnitKind


def t(year: int, month: int = 1, day: int = 1, hour: int = 0) -> datetime:
    """An instant in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)


def unit(code: str, parent: str | None, kind: UnitKind = "agency", since: datetime = t(2016)) -> Unit:
    """A unit with one form."""
    return Unit(id=code, history=(UnitForm(since=since, name=code, kind=kind, parent=parent),))


CITY = [
    unit("CITY", None, "city"),
    unit("DISDIK", "CITY"),
    unit("DISDIK-1", "DISDIK", "section"),
    unit("KEC", "CITY", "district"),
    unit("KEL", "KEC", "village"),
]
TREE = Tree(CITY, t(2020))


def person(id_: str, where: str = "DISDIK", *, boss: str | None = None, **more: Any) -> Employee:
    """An employee since 2016."""
    fields = {"since": t(2016), "unit": where, "supervisor_id": boss, "status": "pns", **more}
    placement = Placement(**fields)
    return Employee(id=id_, nip=id_, name="Contoh", history=(placement,))


def batch(**more: Any) -> Batch:
    """An open batch of two days with room for all."""
    step = BatchStep(state="draft", at=t(2016), recorded_at=t(2016), by="hr")
    fields = {
        "id": "b",
        "name": "b",
        "starts_on": date(2016, 5, 16),
        "ends_on": date(2016, 5, 19),
        "venue": "v",
        "seats": 40,
        "seats_per_unit": 40,
        "state": "open",
        "history": (step,),
        **more,
    }
    return Batch(**fields)


def step(state: ParticipantState, by: str = "hr", at: datetime = t(2016, 2)) -> Step:
    """A step of a participant."""
    return Step(state=state, to=state, at=at, recorded_at=at, by=by)


def participant(
    id_: str = "p", where: str = "DISDIK", state: ParticipantState = "nominated", **more: Any
) -> Participant:
    """A participant in a state, as if it had begun there."""
    fields = {
        "id": id_,
        "batch_id": "b",
        "employee_id": id_,
        "unit": where,
        "own_unit": where,
        "state": state,
        "nominated_at": t(2016, 2),
        "recorded_at": t(2016, 2),
        "history": (step("nominated"), *(() if state == "nominated" else (step(state),))),
        **more,
    }
    return Participant(**fields)


def pairing_step(to: str, by: str = "hr", at: datetime = t(2016, 2)) -> PairingStep:
    """A step of a pairing."""
    return PairingStep(state="proposed", to=to, at=at, recorded_at=at, by=by)


def pairing(id_: str = "p", guide: str = "g", learner: str = "l", competency: str = "c", **more: Any) -> Pairing:
    """A proposed pairing."""
    fields = {
        "id": id_,
        "kind": "mentoring",
        "guide_id": guide,
        "learner_id": learner,
        "competency": competency,
        "target_level": 3,
        "due_on": date(2016, 12, 31),
        "history": (pairing_step("proposed"),),
        **more,
    }
    return Pairing(**fields)
