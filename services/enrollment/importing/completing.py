"""`complete=true`: the file lists all there are, so those missing in it are no longer in service."""

from collections.abc import Iterable

import msgspec

from ..context import When
from ..domain import employees, nip, units
from ..domain.employees import Employee
from ..domain.imports import ImportKind, Trouble, failure
from ..domain.units import Tree, Unit
from ..store import employee_fields
from .kinds import Part, Row


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """updated: records that were ended. problem: what was left undone, if anything."""

    updated: int = 0
    problem: Trouble | None = None


def complete(kind: ImportKind, part: Part, rows: Iterable[Row]) -> Completed:
    """Makes those inactive, or closes those units, that are missing in the file."""
    if kind == "units":
        return _close_units(part, {row.key for row in rows})
    numbers = {row.key for row in rows}
    # A number that can't be read may be anybody's: then nobody may be taken for missing.
    if not all(nip.is_readable(number) for number in numbers):
        return Completed(problem=Trouble.of(failure("complete-skipped")))
    return _retire(part, numbers)


def _retire(part: Part, numbers: set[str]) -> Completed:
    store = part.context.store
    found = store.employees.find({"active": True, "nip": {"$nin": sorted(numbers)}}, session=part.session)
    changed = []
    for stored in found:
        at = max(part.when.effective_at, stored.state.now.since)
        state = _inactive(stored.state, When(part.when.now, at))
        change = When(part.when.now, at).change("employee.changed", part.actor, lane="bulk")
        changed.append((stored, state, change, employee_fields(state)))
    if part.write:
        store.employees.replace_many(changed, session=part.session)
    return Completed(updated=len(changed))


def _inactive(person: Employee, when: When) -> Employee:
    return employees.placed(person, msgspec.structs.replace(person.now, since=when.effective_at, active=False))


def _close_units(part: Part, codes: set[str]) -> Completed:
    """Closes the missing ones, lowest first; one that is in use stays, and so do those above it."""
    store = part.context.store
    known = store.all_units(part.session)
    tree = Tree((stored.state for stored in known.values()), part.when.now)
    missing = [code for code, stored in known.items() if code not in codes and stored.state.now.state == "active"]
    used = set(store.employees.collection.distinct("unit", {"active": True}, session=part.session))
    open_ = {code for code, stored in known.items() if stored.state.now.state == "active"}
    closed = []
    for code in sorted(missing, key=lambda code: len(list(tree.chain(code))), reverse=True):
        below = any(known[child].state.now.parent == code for child in open_)
        if code in used or below:
            continue
        open_.discard(code)
        state = _closed(known[code].state, part.when)
        change = When(part.when.now, state.now.since).change("unit.closed", part.actor, lane="bulk")
        closed.append((known[code], state, change, None))
    if part.write:
        store.units.replace_many(closed, session=part.session)
    in_use = Trouble.of(failure("units-in-use")) if len(closed) < len(missing) else None
    return Completed(updated=len(closed), problem=in_use)


def _closed(unit: Unit, when: When) -> Unit:
    return units.close(unit, max(when.effective_at, unit.now.since), in_use=False)
