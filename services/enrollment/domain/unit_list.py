"""Lists of units: what each row would do, judged together, since parents may come after their children."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from infra.problems import FieldError, Refused, Text, invalid

from . import fields, forest
from .fields import UnitInput
from .histories import Times
from .roster import Outcome, blamed
from .units import Unit, UnitForm, UnitKind, closed_unit, put, unit_cycle, unknown_unit


class UnitDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one row. refused: why it is rejected, with the fields to blame."""

    outcome: Outcome
    unit: Unit | None = None
    refused: Refused | None = None


def decide_units(
    rows: Sequence[UnitInput], known: Mapping[str, Unit], times: Times, earlier: frozenset[str] = frozenset()
) -> list[UnitDecision]:
    """One decision for each row, in order. earlier: codes of rows of the same file that were rejected before."""
    refusals: dict[int, Refused] = {}
    first: dict[str, int] = {}
    made: dict[str, Unit] = {}
    roots = {code for code, unit in known.items() if unit.now.parent is None}
    for index, row in enumerate(rows):
        first.setdefault(row.code, index)
    for index, row in enumerate(rows):
        try:
            _check_alone(row, index, first, known, times, earlier)
            _check_root(row, roots)
            made[row.code] = _made(row, known.get(row.code), times)
        except Refused as refused:
            refusals[index] = refused if refused.errors else blamed(refused, "/effective_at")
    fallen = earlier | {rows[index].code for index in refusals if first[rows[index].code] == index}
    proposed = {code: unit.now.parent for code, unit in made.items()}
    settled = forest.settle({code: unit.now.parent for code, unit in known.items()}, proposed, fallen)
    for code in settled.cyclic:
        refusals[first[code]] = blamed(unit_cycle(), "/parent")
    for code in settled.dependent:
        refusals[first[code]] = _rejected_parent()
    return [_decision(row, index, refusals, known, made) for index, row in enumerate(rows)]


def _made(row: UnitInput, before: Unit | None, times: Times) -> Unit:
    since = row.effective_at or (times.after(before.now.since) if before else times).effective_at
    form = UnitForm(since=since, name=row.name, kind=cast("UnitKind", row.kind), parent=row.parent)
    return put(before, row.code, form)


def _check_alone(
    row: UnitInput,
    index: int,
    first: Mapping[str, int],
    known: Mapping[str, Unit],
    times: Times,
    earlier: frozenset[str],
) -> None:
    if faults := fields.unit_faults(row):
        raise invalid(*faults)
    if first[row.code] != index:
        twice = Text("Kode ini sudah ada di baris sebelumnya.", "An earlier row has the same code.")
        raise invalid(FieldError("/code", twice))
    if row.effective_at and row.effective_at > times.now:
        future = Text("Waktu berlaku belum tiba.", "It would take effect in the future.")
        raise invalid(FieldError("/effective_at", future))
    if row.parent is None or row.parent in first or row.parent in earlier:
        return
    if row.parent not in known:
        raise blamed(unknown_unit(), "/parent")
    if known[row.parent].now.state == "closed":
        raise blamed(closed_unit(), "/parent")


def _check_root(row: UnitInput, roots: set[str]) -> None:
    """Lets the first root of all pass and notes it."""
    if row.parent is not None:
        return
    if roots - {row.code}:
        refused = Refused("unit-root", Text("Sudah ada unit puncak yang lain.", "There is another root already."))
        raise blamed(refused, "/parent")
    roots.add(row.code)


def _rejected_parent() -> Refused:
    text = Text("Baris unit induknya ditolak.", "The parent's row was rejected.")
    return blamed(Refused("parent-rejected", text), "/parent")


def _decision(
    row: UnitInput,
    index: int,
    refusals: Mapping[int, Refused],
    known: Mapping[str, Unit],
    made: Mapping[str, Unit],
) -> UnitDecision:
    if refused := refusals.get(index):
        return UnitDecision(outcome="rejected", refused=refused)
    unit, before = made[row.code], known.get(row.code)
    outcome: Outcome = "created" if before is None else "unchanged" if unit == before else "updated"
    return UnitDecision(outcome=outcome, unit=unit)
