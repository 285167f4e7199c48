"""What each kind of import makes of a row, and what it does with a part of the file."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.problems import FieldError, Refused, Text, invalid

from ..context import Context, When
from ..domain import fields, forest, nip
from ..domain.fields import EmployeeInput, UnitInput
from ..domain.imports import ImportKind
from ..domain.roster import Outcome
from . import columns
from .columns import Layout
from .reading import Sheet


class SkillInput(msgspec.Struct, frozen=True, kw_only=True):
    """A level that HR declares of someone."""

    nip: str
    competency: str
    level: int
    effective_at: datetime | None = None


Input = EmployeeInput | UnitInput | SkillInput


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file.

    key: what identifies it in the file (NIP, code). first: whether no earlier row has that key. parent: the key
    that it refers to. refused: why it can't even be read.
    """

    number: int
    cells: tuple[str, ...]
    key: str
    first: bool = True
    parent: str | None = None
    input: Input | None = None
    refused: Refused | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the file at work. rejected: keys of rows of earlier parts. write: False in a dry run."""

    context: Context
    session: ClientSession | None
    actor: Actor
    when: When
    rejected: frozenset[str]
    write: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row."""

    row: Row
    outcome: Outcome
    refused: Refused | None = None


def rows_of(kind: ImportKind, sheet: Sheet, layout: Layout) -> list[Row]:
    """The rows as inputs: those that others refer to come first, and of two with one key the later is refused."""
    read = _READERS[kind]
    rows: list[Row] = []
    seen: set[str] = set()
    for number, cells in sheet.rows:
        row = _row(number, cells, layout, read)
        if row.key in seen:
            row = msgspec.structs.replace(row, first=False, input=None, refused=row.refused or _twice(kind))
        seen.add(row.key)
        rows.append(row)
    return _ordered(rows)


def _row(number: int, cells: tuple[str, ...], layout: Layout, read: Callable[..., Input]) -> Row:
    def cell(field: str) -> str:
        return layout.cell(cells, field)

    try:
        given = read(cell, layout)
    except Refused as refused:
        key = nip.normalise(cell("nip")) or cell("code")
        return Row(number=number, cells=cells, key=key, refused=refused)
    key, parent = _names(given)
    return Row(number=number, cells=cells, key=key, parent=parent, input=given)


def _names(given: Input) -> tuple[str, str | None]:
    """The row's key and that of the row it refers to."""
    if isinstance(given, EmployeeInput):
        above = given.supervisor_nip
        return nip.normalise(given.nip), nip.normalise(above) if isinstance(above, str) else None
    if isinstance(given, UnitInput):
        return given.code, given.parent
    return f"{nip.normalise(given.nip)} {given.competency}", None


def _ordered(rows: list[Row]) -> list[Row]:
    parents = {row.key: row.parent for row in reversed(rows)}
    place = {key: index for index, key in enumerate(forest.parents_first(parents))}
    return sorted(rows, key=lambda row: place[row.key])


def _twice(kind: ImportKind) -> Refused:
    pointer = "/code" if kind == "units" else "/nip"
    return invalid(
        FieldError(pointer, Text("Sudah ada di baris sebelumnya.", "An earlier row of this file has the same."))
    )


def _employee(cell: Callable[[str], str], layout: Layout) -> EmployeeInput:
    optional: Mapping[str, object] = {
        field: cell(field) or None if layout.has(field) else msgspec.UNSET
        for field in ("position", "echelon", "supervisor_nip", "email", "phone")
    }
    kind = columns.word(cell("position_kind"))
    given: Mapping[str, object] = {
        "position_kind": columns.POSITION_KINDS.get(kind, kind) or None
        if layout.has("position_kind")
        else msgspec.UNSET
    }
    return EmployeeInput(
        nip=cell("nip"),
        name=cell("name"),
        status=columns.word(cell("status")),
        unit=cell("unit"),
        active=columns.truth(cell("active")),
        effective_at=columns.day(cell("tmt")),
        **{**optional, **given},  # type: ignore[arg-type]
    )


def _unit(cell: Callable[[str], str], _: Layout) -> UnitInput:
    kind = columns.word(cell("kind"))
    return UnitInput(
        code=cell("code"),
        name=fields.tidy(cell("name")),
        kind=columns.UNIT_KINDS.get(kind, kind),
        parent=cell("parent") or None,
        effective_at=columns.day(cell("tmt")),
    )


def _skill(cell: Callable[[str], str], _: Layout) -> SkillInput:
    if faults := list(fields.code_faults("/competency", cell("competency"))):
        raise invalid(*faults)
    return SkillInput(
        nip=cell("nip"),
        competency=cell("competency"),
        level=columns.level(cell("level")),
        effective_at=columns.day(cell("tmt")),
    )


_READERS: Mapping[ImportKind, Callable[..., Input]] = {"employees": _employee, "units": _unit, "skills": _skill}
