"""Employees: one list of them at a time, from a request or a part of a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.problems import Refused
from infra.storage.aggregates import Change, Lane, Stored

from .. import events
from ..context import PEOPLE, Context, When
from ..domain import fields, roster
from ..domain.employees import Employee
from ..domain.fields import EmployeeInput
from ..domain.roster import Decision, Known, Outcome
from ..domain.units import Tree
from ..ids import random_id
from ..store import Store, employee_fields


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row. id, version: of the employee, None where none is known."""

    outcome: Outcome
    id: str | None
    version: int | None
    refused: Refused | None = None


def put_employees(
    context: Context, actor: Actor, rows: Sequence[EmployeeInput], effective_at: datetime | None
) -> list[Result]:
    """Takes in a list of employees; what is wrong with one never stops another."""
    when = context.when(effective_at)
    clean = [fields.cleaned(row) for row in rows]
    return context.alone([PEOPLE], lambda session: take(context.store, session, clean, actor, when))


def take(
    store: Store,
    session: ClientSession | None,
    rows: Sequence[EmployeeInput],
    actor: Actor,
    when: When,
    *,
    refused: frozenset[str] = frozenset(),
    lane: Lane = "live",
    write: bool = True,
) -> list[Result]:
    """The same inside a transaction, of rows that `fields.cleaned` has made or would leave as they are.

    refused: NIPs that the same file had rejected before. write: False only tells what would become of the rows.
    """
    known = _named(store, session, rows)
    decisions = roster.decide(
        rows,
        Known(
            employees={number: stored.state for number, stored in known.items()},
            supervisors=store.supervisors(session),
            refused=refused,
            tree=_trees(store, session),
        ),
        when,
        random_id,
    )
    saved = _save(store, session, decisions, known, actor, when, lane) if write else {}
    return [_result(decision, known, saved) for decision in decisions]


def _named(
    store: Store, session: ClientSession | None, rows: Sequence[EmployeeInput]
) -> dict[str, Stored[Employee]]:
    """All known people whom the rows name, by NIP."""
    named = {row.nip for row in rows}
    named |= {row.supervisor_nip for row in rows if isinstance(row.supervisor_nip, str)}
    return store.by_nip(named, session)


def _trees(store: Store, session: ClientSession | None) -> Any:
    """The tree at an instant, each made once: the rows of a file have few effective times."""
    all_units = [stored.state for stored in store.all_units(session).values()]
    return cache(lambda instant: Tree(all_units, instant))


def _save(
    store: Store,
    session: ClientSession | None,
    decisions: Sequence[Decision],
    known: dict[str, Stored[Employee]],
    actor: Actor,
    when: When,
    lane: Lane,
) -> dict[str, int]:
    """Writes what was decided; employee id to new version."""

    def item(person: Employee, at: datetime) -> tuple[Employee, Change, Mapping[str, Any]]:
        change = _change(person, known.get(person.nip), actor, When(when.now, at), lane)
        return person, change, employee_fields(person)

    standing = [
        (decision.employee, decision.effective_at)
        for decision in decisions
        if decision.employee is not None and decision.outcome in ("created", "updated")
    ]
    # One by one: what a document is made of is gone before the next, so that less is collected as garbage.
    store.employees.insert_all((item(*one) for one in standing if one[0].nip not in known), session)
    changed = [(known[person.nip], *item(person, at)) for person, at in standing if person.nip in known]
    store.employees.replace_many(changed, session=session)
    return {person.id: known[person.nip].version + 1 if person.nip in known else 1 for person, _ in standing}


def _change(person: Employee, before: Stored[Employee] | None, actor: Actor, when: When, lane: Lane) -> Change:
    """What happened; names and addresses travel apart, and only when they are new."""
    known = before and (before.state.name, before.state.email)
    extra = () if known == (person.name, person.email) else (events.person(person),)
    kind = "employee.changed" if before else "employee.created"
    return msgspec.structs.replace(when.change(kind, actor, lane=lane), extra=extra)


def _result(decision: Decision, known: dict[str, Stored[Employee]], saved: dict[str, int]) -> Result:
    person = decision.employee
    if person is None:
        return Result(outcome=decision.outcome, id=None, version=None, refused=decision.refused)
    before = known.get(person.nip)
    version = saved.get(person.id, before.version if before else None)
    return Result(outcome=decision.outcome, id=person.id, version=version, refused=decision.refused)
