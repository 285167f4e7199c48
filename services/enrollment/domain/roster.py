"""Lists of employees or units, from a request or a file: what each row would do, judged together.

Rows may name supervisors (or parents) that come later in the list, so the whole list is settled at once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

import msgspec

from infra.problems import FieldError, Refused, Text, invalid

from . import fields, forest, nip
from .employees import Employee, Placement, Status, placed
from .fields import EmployeeInput, kept
from .histories import Times
from .units import Tree, closed_unit, unknown_unit

Outcome = Literal["created", "updated", "unchanged", "rejected"]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one row. refused: why it is rejected, with the fields to blame."""

    outcome: Outcome
    employee: Employee | None = None
    effective_at: datetime
    refused: Refused | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the records say before the list.

    employees: by NIP, all whom the list names. supervisors: employee id to supervisor id, of everybody. refused:
    NIPs of rows of the same file that were rejected earlier. tree: the units at an instant.
    """

    employees: Mapping[str, Employee]
    supervisors: Mapping[str, str | None]
    refused: frozenset[str] = frozenset()
    tree: Callable[[datetime], Tree]


def decide(rows: Sequence[EmployeeInput], known: Known, times: Times, new_id: Callable[[], str]) -> list[Decision]:
    """One decision for each row, in order. rows: as `fields.cleaned` makes them. times: of rows that give none.

    A row is rejected for its own fields, for a NIP that an earlier row has, for its unit, for its supervisor
    (unknown, rejected, in a circle), or because it would take effect before what is recorded.
    """
    return _Roster(rows, known, times, new_id).decisions()


class _Roster:
    def __init__(
        self, rows: Sequence[EmployeeInput], known: Known, times: Times, new_id: Callable[[], str]
    ) -> None:
        self.rows = rows
        self.known = known
        self.times = times
        self.refusals: dict[int, Refused] = {}
        self.first: dict[str, int] = {}
        for index, row in enumerate(self.rows):
            self.first.setdefault(row.nip, index)
        self.ids = {number: person.id for number, person in known.employees.items()}
        for number in self.first:
            if number not in self.ids and nip.is_readable(number):
                self.ids[number] = new_id()

    def decisions(self) -> list[Decision]:
        for index, row in enumerate(self.rows):
            refused = self._alone(index, row)
            if refused:
                self.refusals[index] = refused
        made: dict[int, Employee] = {}
        for index, row in enumerate(self.rows):
            if index not in self.refusals:
                try:
                    made[index] = self._employee(row)
                except Refused as refused:
                    self.refusals[index] = blamed(refused, "/effective_at")
        self._settle(made)
        return [self._decision(index, made.get(index)) for index in range(len(self.rows))]

    def _alone(self, index: int, row: EmployeeInput) -> Refused | None:
        """Why the row can't stand, whatever becomes of the others."""
        if faults := fields.employee_faults(row, self.times.today):
            return own_supervisor(faults) or invalid(*faults)
        if self.first[row.nip] != index:
            twice = Text("NIP ini sudah ada di baris sebelumnya.", "An earlier row has the same NIP.")
            return invalid(FieldError("/nip", twice))
        if row.effective_at and row.effective_at > self.times.now:
            future = Text("Waktu berlaku belum tiba.", "It would take effect in the future.")
            return invalid(FieldError("/effective_at", future))
        form = self.known.tree(self._effective(row)).forms.get(row.unit)
        if form is None:
            return blamed(unknown_unit(), "/unit")
        if form.state == "closed" and row.active:
            return blamed(closed_unit(), "/unit")
        return self._supervisor_fault(row)

    def _supervisor_fault(self, row: EmployeeInput) -> Refused | None:
        boss = row.supervisor_nip
        if not isinstance(boss, str) or boss in self.first or boss in self.known.refused:
            return None
        return None if boss in self.known.employees else unknown_supervisor()

    def _effective(self, row: EmployeeInput) -> datetime:
        known = self.known.employees.get(row.nip)
        times = self.times.after(known.now.since) if known else self.times
        return row.effective_at or times.effective_at

    def _employee(self, row: EmployeeInput) -> Employee:
        """The employee as the row would have it. Refuses with `effective-order`."""
        known = self.known.employees.get(row.nip)
        now = known.now if known else None
        placement = Placement(
            since=self._effective(row),
            unit=row.unit,
            supervisor_id=self._supervisor_id(row, known),
            active=row.active,
            status=cast("Status", row.status),
            position=kept(row, "position", now),
            position_kind=kept(row, "position_kind", now),
            echelon=kept(row, "echelon", now),
        )
        email, phone = kept(row, "email", known), kept(row, "phone", known)
        if known is None:
            id_, history = self.ids[row.nip], (placement,)
            return Employee(id=id_, nip=row.nip, name=row.name, email=email, phone=phone, history=history)
        person = msgspec.structs.replace(known, name=row.name, email=email, phone=phone)
        return placed(person, placement, renamed=person != known)

    def _supervisor_id(self, row: EmployeeInput, known: Employee | None) -> str | None:
        if isinstance(row.supervisor_nip, str):
            return self.ids.get(row.supervisor_nip)
        return known.now.supervisor_id if known and row.supervisor_nip is not None else None

    def _settle(self, made: Mapping[int, Employee]) -> None:
        """Rejects the rows whose supervisor is rejected, and those that form a circle."""
        proposed = {
            self.ids[self.rows[index].nip]: self._settled_parent(index, person) for index, person in made.items()
        }
        refused = frozenset(
            self.ids.get(self.rows[index].nip, self.rows[index].nip)
            for index in self.refusals
            if self.first[self.rows[index].nip] == index
        )
        settled = forest.settle(self.known.supervisors, proposed, refused | self.known.refused)
        for index in made:
            own = self.ids[self.rows[index].nip]
            if own in settled.cyclic:
                self.refusals[index] = supervisor_cycle()
            elif own in settled.dependent:
                self.refusals[index] = rejected_supervisor()

    def _settled_parent(self, index: int, person: Employee) -> str | None:
        """The supervisor's id, or the NIP where that row was rejected before it got an id."""
        boss = self.rows[index].supervisor_nip
        if isinstance(boss, str) and (boss in self.known.refused or boss not in self.ids):
            return boss
        return person.now.supervisor_id

    def _decision(self, index: int, made: Employee | None) -> Decision:
        at = self._effective(self.rows[index])
        if refused := self.refusals.get(index):
            known = self.known.employees.get(self.rows[index].nip)
            return Decision(outcome="rejected", employee=known, effective_at=at, refused=refused)
        known = self.known.employees.get(self.rows[index].nip)
        outcome: Outcome = "created" if known is None else "unchanged" if known == made else "updated"
        return Decision(outcome=outcome, employee=made, effective_at=at)


def own_supervisor(faults: Sequence[FieldError]) -> Refused | None:
    """`supervisor-cycle`, when being one's own supervisor is all that is wrong."""
    if [fault.pointer for fault in faults] == ["/supervisor_nip"]:
        return Refused("supervisor-cycle", faults[0].detail, errors=faults)
    return None


def blamed(refused: Refused, pointer: str) -> Refused:
    """The same refusal with a field to blame."""
    return Refused(
        refused.rule, refused.detail, status=refused.status, errors=[FieldError(pointer, refused.detail)]
    )


def unknown_supervisor() -> Refused:
    """409 `employee-unknown`: neither recorded nor in the same list."""
    text = Text("Atasan tidak dikenal.", "There is no such supervisor.")
    return blamed(Refused("employee-unknown", text), "/supervisor_nip")


def rejected_supervisor() -> Refused:
    """409 `supervisor-rejected`: the supervisor's own row of the same list was rejected."""
    text = Text("Baris atasannya ditolak.", "The supervisor's row was rejected.")
    return blamed(Refused("supervisor-rejected", text), "/supervisor_nip")


def supervisor_cycle() -> Refused:
    """409 `supervisor-cycle`: someone would be above themselves."""
    text = Text("Atasan membentuk lingkaran.", "The supervisors would form a circle.")
    return blamed(Refused("supervisor-cycle", text), "/supervisor_nip")
