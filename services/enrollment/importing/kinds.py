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
    """A level that HR declares of someone. nip: normalised."""

    nip: str
    competency: str
    level: int
    effective_at: datetime | None = None


Input = EmployeeInput | UnitInput | SkillInput
Texts = Mapping[str, str]


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


def _row(number: int, cells: tuple[str, ...], layout: Layout, read: Callable[[Texts], Input]) -> Row:
    texts = layout.texts(cells)
    try:
        given = read(texts)
    except Refused as refused:
        key = nip.normalise(texts.get("nip", "")) or texts.get("code", "")
        return Row(number=number, cells=cells, key=key, refused=refused)
    key, parent = _names(given)
    return Row(number=number, cells=cells, key=key, parent=parent, input=given)


def _names(given: Input) -> tuple[str, str | None]:
    """The row's key and that of the row it refers to."""
    if isinstance(given, EmployeeInput):
        above = given.supervisor_nip
        return given.nip, above if isinstance(above, str) else None
    if isinstance(given, UnitInput):
        return given.code, given.parent
    return f"{given.nip} {given.competency}", None


def _ordered(rows: list[Row]) -> list[Row]:
    parents = {row.key: row.parent for row in reversed(rows)}
    place = {key: index for index, key in enumerate(forest.parents_first(parents))}
    return sorted(rows, key=lambda row: place[row.key])


def _twice(kind: ImportKind) -> Refused:
    pointer = "/code" if kind == "units" else "/nip"
    return invalid(
        FieldError(pointer, Text("Sudah ada di baris sebelumnya.", "An earlier row of this file has the same."))
    )


def _employee(texts: Texts) -> EmployeeInput:
    """As `fields.cleaned` would leave it: the texts are on one line already."""
    return EmployeeInput(
        nip=nip.normalise(texts["nip"]),
        name=fields.tidy(texts["name"]),
        status=columns.word(texts["status"]),
        unit=texts["unit"],
        position=_optional(texts, "position", fields.tidy),
        position_kind=_optional(texts, "position_kind", columns.position_kind),
        echelon=_optional(texts, "echelon"),
        supervisor_nip=_optional(texts, "supervisor_nip", nip.normalise),
        email=_optional(texts, "email"),
        phone=_optional(texts, "phone"),
        active=columns.truth(texts.get("active", "")),
        effective_at=columns.day(texts.get("tmt", "")),
    )


def _optional(texts: Texts, field: str, read: Callable[[str], str] = str) -> str | None | msgspec.UnsetType:
    """UNSET where the file has no such column: what is recorded stays."""
    return read(texts[field]) or None if field in texts else msgspec.UNSET


def _unit(texts: Texts) -> UnitInput:
    kind = columns.word(texts["kind"])
    return UnitInput(
        code=texts["code"],
        name=fields.tidy(texts["name"]),
        kind=columns.UNIT_KINDS.get(kind, kind),
        parent=texts.get("parent") or None,
        effective_at=columns.day(texts.get("tmt", "")),
    )


def _skill(texts: Texts) -> SkillInput:
    if faults := list(fields.code_faults("/competency", texts["competency"])):
        raise invalid(*faults)
    return SkillInput(
        nip=nip.normalise(texts["nip"]),
        competency=texts["competency"],
        level=columns.level(texts["level"]),
        effective_at=columns.day(texts.get("tmt", "")),
    )


_READERS: Mapping[ImportKind, Callable[[Texts], Input]] = {
    "employees": _employee,
    "units": _unit,
    "skills": _skill,
}
