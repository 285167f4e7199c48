"""`complete=true`: the file lists all there are, so those missing in it are no longer in service."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from ..context import When
from ..domain import employees, fields, forest, nip, units
from ..domain.employees import Employee
from ..domain.imports import ImportKind, Trouble, failure
from ..store import employee_fields
from .kinds import Part, Row


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """updated: records that were ended. whole: whether nothing more is to be ended.

    problem: what was left undone, if anything.
    """

    updated: int = 0
    whole: bool = True
    problem: Trouble | None = None


def complete(kind: ImportKind, part: Part, rows: Iterable[Row], most: int) -> Completed:
    """Makes those inactive, or closes those units, that are missing in the file: up to so many at a time.

    What was ended before is not found again; a dry run, which ends nothing, counts all at once.
    """
    keys = {row.key for row in rows}
    if not keys:
        # Somebody's mistake: a city without anybody has nobody to import it.
        return Completed(problem=Trouble.of(failure("complete-empty")))
    if kind == "units":
        # A code that can't be read may be any unit's.
        if any(fault for key in keys for fault in fields.code_faults("/code", key)):
            return Completed(problem=Trouble.of(failure("complete-codes")))
        return _close_units(part, keys, most)
    # A number that can't be read may be anybody's: then nobody may be taken for missing.
    if not all(nip.is_readable(number) for number in keys):
        return Completed(problem=Trouble.of(failure("complete-skipped")))
    return _retire(part, keys, most)


def _retire(part: Part, numbers: set[str], most: int) -> Completed:
    people = part.context.store.employees
    missing = {"active": True, "nip": {"$nin": sorted(numbers)}}
    if not part.write:
        return Completed(updated=people.collection.count_documents(missing, session=part.session))
    changed = []
    for stored in people.find(missing, limit=most, session=part.session):
        at = max(part.when.effective_at, stored.state.now.since)
        state = _inactive(stored.state, When(part.when.now, at))
        change = When(part.when.now, at).change("employee.changed", part.actor, lane="bulk")
        changed.append((stored, state, change, employee_fields(state)))
    people.replace_many(changed, session=part.session)
    return Completed(updated=len(changed), whole=len(changed) < most)


def _inactive(person: Employee, when: When) -> Employee:
    return employees.placed(person, msgspec.structs.replace(person.now, since=when.effective_at, active=False))


def _close_units(part: Part, codes: set[str], most: int) -> Completed:
    """Closes the missing ones, lowest first; one that is in use stays, and so do those above it."""
    store = part.context.store
    known = store.all_units(part.session)
    open_ = {code: unit.state.now.parent for code, unit in known.items() if unit.state.now.state == "active"}
    below = Counter(open_.values())
    missing = [code for code in reversed(forest.parents_first(open_)) if code not in codes]
    closing = {code: max(part.when.effective_at, known[code].state.now.since) for code in missing}
    used = store.occupied(closing, part.session)
    unused = []
    for code in missing:
        if code not in used and not below[code]:
            below[open_[code]] -= 1
            unused.append(code)
    in_use = Trouble.of(failure("units-in-use")) if len(unused) < len(missing) else None
    if not part.write:
        return Completed(updated=len(unused), problem=in_use)
    closed = []
    for code in unused[:most]:
        state = units.close(known[code].state, closing[code], in_use=False)
        change = When(part.when.now, state.now.since).change("unit.closed", part.actor, lane="bulk")
        closed.append((known[code], state, change, None))
    store.units.replace_many(closed, session=part.session)
    return Completed(updated=len(closed), whole=len(closed) == len(unused), problem=in_use)
