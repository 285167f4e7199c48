"""Who may guide whom (Programme rules, Who may guide), as things stood at an instant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from infra.problems import Refused, Text

from .employees import MASTERED, Employee
from .units import Tree

GroundName = Literal["representative", "supervisor", "approved"]


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """HR's approval that someone who has mastered a competency may guide others in it, from `at` on."""

    id: str
    employee_id: str
    competency: str
    at: datetime


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Why someone may guide. competency: only for `approved`; the other grounds hold for every competency."""

    ground: GroundName
    competency: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a possible guide. certified_at: of each of their certificates."""

    employee: Employee
    certified_at: Sequence[datetime] = ()
    approvals: Sequence[Approval] = ()

    def is_representative(self, at: datetime) -> bool:
        """Whether they had been certified by then."""
        return any(certified <= at for certified in self.certified_at)

    def is_approved(self, competency: str, at: datetime) -> bool:
        """Whether HR had approved them by then, and they had mastered the competency."""
        approved = any(one.competency == competency and one.at <= at for one in self.approvals)
        return approved and self.employee.level(competency, at) >= MASTERED


def check_approval(employee: Employee, competency: str, at: datetime, known: Iterable[Approval]) -> None:
    """Refuses with `not-active`, `not-mastered` or `already-approved`."""
    if not employee.was_active(at):
        raise Refused(
            "not-active", Text("Pegawai ini tidak aktif saat itu.", "This employee was not active then.")
        )
    if employee.level(competency, at) < MASTERED:
        raise Refused(
            "not-mastered",
            Text("Pegawai ini belum menguasai kompetensi itu.", "This employee has not mastered the competency."),
        )
    if any(one.competency == competency for one in known):
        raise Refused("already-approved", Text("Persetujuan ini sudah ada.", "This was approved already."))


def grounds(standing: Standing, *, has_reports: bool, at: datetime) -> list[Ground]:
    """All grounds on which someone may guide, apart from whom."""
    if not standing.employee.was_active(at):
        return []
    found: list[Ground] = []
    if standing.is_representative(at):
        found.append(Ground(ground="representative"))
    if has_reports:
        found.append(Ground(ground="supervisor"))
    competencies = sorted({one.competency for one in standing.approvals})
    found.extend(
        Ground(ground="approved", competency=code) for code in competencies if standing.is_approved(code, at)
    )
    return found


def supervisors(employee: Employee, people: Mapping[str, Employee], at: datetime) -> Iterator[str]:
    """Ids of the supervisor, the supervisor's supervisor and so on, as of an instant, nearest first.

    people: at least all who are met on the way.
    """
    seen = {employee.id}
    current: Employee | None = employee
    while current is not None:
        placement = current.at(at)
        above = placement.supervisor_id if placement else None
        if above is None or above in seen:
            return
        seen.add(above)
        yield above
        current = people.get(above)


def may_guide(
    guide: Standing,
    learner: Employee,
    competency: str,
    at: datetime,
    *,
    tree: Tree,
    people: Mapping[str, Employee],
) -> bool:
    """Whether one may guide the other in a competency. people: the two and all supervisors above them.

    Nobody guides themselves or a supervisor of theirs.
    """
    own, other = guide.employee.at(at), learner.at(at)
    if own is None or other is None or guide.employee.id == learner.id:
        return False
    if learner.id in supervisors(guide.employee, people, at):
        return False
    if guide.employee.id in supervisors(learner, people, at):
        return True
    if not tree.covers(own.unit, other.unit):
        return False
    return guide.is_representative(at) or guide.is_approved(competency, at)
