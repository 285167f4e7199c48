"""Takes a part of a file into the records, inside the transaction of that part."""

from collections.abc import Mapping, Sequence
from typing import cast

from infra.problems import FieldError, Refused, Text, invalid
from infra.storage.aggregates import Stored

from .. import words
from ..commands.employees import take
from ..context import When
from ..domain import employees, histories
from ..domain.employees import Employee, Skill
from ..domain.fields import EmployeeInput, UnitInput
from ..domain.imports import ImportKind
from ..domain.roster import Outcome, blamed
from ..domain.unit_list import decide_units
from ..store import employee_fields
from .kinds import Part, Row, SkillInput, Verdict

Judged = tuple[Outcome, Refused | None]


def take_rows(kind: ImportKind, part: Part, rows: Sequence[Row]) -> list[Verdict]:
    """One verdict for each row, in order; what stands is written."""
    unread = {row.key for row in rows if row.refused}
    readable = [row for row in rows if row.input is not None]
    taker = {"employees": _employees, "units": _units, "skills": _skills}[kind]
    judged = iter(taker(part, readable, part.rejected | unread - {row.key for row in readable}))
    verdicts = []
    for row in rows:
        outcome, refused = ("rejected", row.refused) if row.input is None else next(judged)
        verdicts.append(Verdict(row=row, outcome=cast("Outcome", outcome), refused=refused))
    return verdicts


def _employees(part: Part, rows: Sequence[Row], rejected: frozenset[str]) -> list[Judged]:
    results = take(
        part.context.store,
        part.session,
        [cast("EmployeeInput", row.input) for row in rows],
        part.actor,
        part.when,
        refused=rejected,
        lane="bulk",
        write=part.write,
    )
    return [(result.outcome, result.refused) for result in results]


def _units(part: Part, rows: Sequence[Row], rejected: frozenset[str]) -> list[Judged]:
    store = part.context.store
    known = store.all_units(part.session)
    inputs = [cast("UnitInput", row.input) for row in rows]
    states = {code: stored.state for code, stored in known.items()}
    decisions = decide_units(inputs, states, part.when, rejected)
    new, changed = [], []
    for decision in decisions:
        unit = decision.unit
        if unit is None or decision.outcome not in ("created", "updated") or not part.write:
            continue
        when = When(part.when.now, unit.now.since)
        if unit.id in known:
            change = when.change("unit.changed", part.actor, lane="bulk")
            changed.append((known[unit.id], unit, change, None))
        else:
            new.append((unit, when.change("unit.created", part.actor, lane="bulk"), None))
    store.units.insert_all(new, part.session)
    store.units.replace_many(changed, session=part.session)
    return [(decision.outcome, decision.refused) for decision in decisions]


def _skills(part: Part, rows: Sequence[Row], _: frozenset[str]) -> list[Judged]:
    store = part.context.store
    inputs = [cast("SkillInput", row.input) for row in rows]
    known = store.by_nip({given.nip for given in inputs}, part.session)
    competencies = set(store.competencies.many({given.competency for given in inputs}, part.session))
    current = {number: stored.state for number, stored in known.items()}
    judged: list[Judged] = []
    for given in inputs:
        try:
            before = current.get(given.nip)
            after = _with_level(given, before, competencies, part.when)
            judged.append(("unchanged" if after == before else "updated", None))
            current[given.nip] = after
        except Refused as refused:
            judged.append(("rejected", refused))
    if part.write:
        _save_levels(part, known, current)
    return judged


def _with_level(given: SkillInput, person: Employee | None, competencies: set[str], when: When) -> Employee:
    if person is None:
        raise blamed(words.missing("employee-unknown", words.EMPLOYEE), "/nip")
    if given.competency not in competencies:
        raise blamed(words.missing("competency-unknown", words.COMPETENCY), "/competency")
    if given.effective_at and given.effective_at > when.now:
        raise invalid(FieldError("/tmt", Text("Waktu berlaku belum tiba.", "It would take effect in the future.")))
    last = person.levels().get(given.competency)
    previous = max(each.since for each in (person.history[0], last) if each is not None)
    at = given.effective_at or when.after(previous).effective_at
    if person.at(at) is None:
        raise blamed(histories.not_active(words.EMPLOYEE), "/tmt")
    skill = Skill(competency=given.competency, level=given.level, since=at, source="import")
    try:
        return employees.with_level(person, skill)
    except Refused as refused:
        raise blamed(refused, "/tmt") from None


def _save_levels(part: Part, known: Mapping[str, Stored[Employee]], current: Mapping[str, Employee]) -> None:
    changed = [
        (
            stored,
            current[number],
            part.when.after(stored.effective_at).change("employee.changed", part.actor, lane="bulk"),
            employee_fields(current[number]),
        )
        for number, stored in known.items()
        if current[number] != stored.state
    ]
    part.context.store.employees.replace_many(changed, session=part.session)
