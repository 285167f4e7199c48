"""What each field of an employee or a unit may hold, wherever it comes from: a request or a file."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from infra.letters import TOO_MANY_MARKS, composed, overloaded
from infra.problems import FieldError, Text

from . import employees, nip

LONGEST_TEXT = 200
LONGEST_CODE = 64
FORMULA_STARTS = ("=", "+", "-", "@")
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,30}")
ROMAN = frozenset(echelon.split(".")[0] for echelon in employees.ECHELONS)

Unset = msgspec.UnsetType


class EmployeeInput(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded of an employee. Text as given; UNSET leaves what is recorded as it is.

    effective_at: of this row alone, from the column TMT; None takes that of the whole list.
    """

    nip: str
    name: str
    status: str
    unit: str
    position: str | Unset | None = None
    position_kind: str | Unset | None = None
    echelon: str | Unset | None = None
    supervisor_nip: str | Unset | None = None
    email: str | Unset | None = None
    phone: str | Unset | None = None
    active: bool = True
    effective_at: datetime | None = None


class UnitInput(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded of a unit. parent: None for the root."""

    code: str
    name: str
    kind: str
    parent: str | None = None
    effective_at: datetime | None = None


def cleaned(given: EmployeeInput) -> EmployeeInput:
    """The same with both NIPs normalised and blanks around texts dropped; empty optional texts become None."""
    changes: dict[str, object] = {"nip": nip.normalise(given.nip), "name": tidy(given.name)}
    for field in ("position", "position_kind", "echelon", "supervisor_nip", "email", "phone"):
        text = getattr(given, field)
        if isinstance(text, str):
            changes[field] = tidy(text) or None
    supervisor = changes.get("supervisor_nip")
    if isinstance(supervisor, str):
        changes["supervisor_nip"] = nip.normalise(supervisor) or None
    return msgspec.structs.replace(given, unit=given.unit.strip(), **changes)


def tidy(text: str) -> str:
    """The text in composed letters, with single plain blanks inside and none around; line breaks stay."""
    made = composed(text.strip())
    return made if "\n" in made or "\r" in made else " ".join(made.split())


def employee_faults(given: EmployeeInput, today: date) -> list[FieldError]:
    """All that is wrong with one cleaned employee, taken alone; the NIP first. today: in Asia/Jakarta."""
    return list(_employee_faults(given, today))


def _employee_faults(given: EmployeeInput, today: date) -> Iterator[FieldError]:
    wrong_nip = nip.fault(given.nip, given.status, today)
    if wrong_nip:
        yield FieldError("/nip", wrong_nip)
    yield from text_faults("/name", given.name)
    if given.status not in ("pns", "cpns", "pppk"):
        yield FieldError(
            "/status", Text("Status harus PNS, CPNS atau PPPK.", "The status must be pns, cpns or pppk.")
        )
    yield from code_faults("/unit", given.unit)
    if given.position:
        yield from text_faults("/position", given.position)
    if given.position_kind and given.position_kind not in ("structural", "functional", "operational"):
        yield FieldError(
            "/position_kind",
            Text(
                "Jenis jabatan harus struktural, fungsional atau pelaksana.",
                "The kind of position must be structural, functional or operational.",
            ),
        )
    if given.echelon and given.echelon not in employees.ECHELONS:
        yield FieldError("/echelon", Text("Eselon tidak dikenal.", "There is no such echelon."))
    yield from _contact_faults(given)
    if given.supervisor_nip and given.supervisor_nip == given.nip:
        yield FieldError(
            "/supervisor_nip", Text("Atasan adalah dirinya sendiri.", "Nobody is their own supervisor.")
        )


def _contact_faults(given: EmployeeInput) -> Iterator[FieldError]:
    if given.email and (len(given.email) > 254 or not EMAIL.fullmatch(given.email)):
        yield FieldError("/email", Text("Alamat surel tidak sah.", "This is no e-mail address."))
    if given.phone and not PHONE.fullmatch(given.phone):
        yield FieldError("/phone", Text("Nomor telepon tidak sah.", "This is no telephone number."))


def unit_faults(given: UnitInput) -> list[FieldError]:
    """All that is wrong with one unit, taken alone."""
    faults = [*code_faults("/code", given.code), *text_faults("/name", given.name)]
    if given.kind not in ("city", "agency", "district", "village", "division", "section"):
        faults.append(FieldError("/kind", Text("Jenis unit tidak dikenal.", "There is no such kind of unit.")))
    if given.parent is not None:
        faults.extend(code_faults("/parent", given.parent))
    return faults


def text_faults(pointer: str, text: str) -> Iterator[FieldError]:
    """A name is not empty, not too long, has no control characters and is no formula of a spreadsheet."""
    if not text.strip():
        yield FieldError(pointer, Text("Tidak boleh kosong.", "It can't be empty."))
    elif len(text) > LONGEST_TEXT:
        yield FieldError(
            pointer,
            Text("Paling panjang {n} huruf.", "At most {n} characters.").format(n=LONGEST_TEXT),
        )
    elif not text.isprintable():
        yield FieldError(pointer, Text("Mengandung huruf yang tidak tampak.", "It contains control characters."))
    elif overloaded(text):
        yield FieldError(pointer, TOO_MANY_MARKS)
    elif text.startswith(FORMULA_STARTS):
        yield FieldError(
            pointer,
            Text(
                "Tidak boleh berawal dengan = + - @.",
                "It can't begin with = + - @, as formulas of spreadsheets do.",
            ),
        )


def code_faults(pointer: str, code: str) -> Iterator[FieldError]:
    """A code is a short printable string without `/` and without blanks around it."""
    if not code or len(code) > LONGEST_CODE or "/" in code or not code.isprintable() or code != code.strip():
        yield FieldError(
            pointer,
            Text("Kode harus 1-{n} huruf tanpa garis miring.", "A code has 1-{n} characters and no slash.").format(
                n=LONGEST_CODE
            ),
        )
    elif overloaded(code):
        yield FieldError(pointer, TOO_MANY_MARKS)


def kept(given: EmployeeInput, field: str, recorded: msgspec.Struct | None) -> Any:
    """An optional field's value: the recorded one, if any, where it is UNSET."""
    value = getattr(given, field)
    return getattr(recorded, field, None) if value is msgspec.UNSET else value
