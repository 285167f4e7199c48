"""What the rows of a file are read as."""

from datetime import UTC, datetime

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from services.enrollment.domain import fields
from services.enrollment.domain.fields import EmployeeInput, UnitInput
from services.enrollment.domain.imports import ImportKind
from services.enrollment.importing import columns, kinds, reading
from services.enrollment.importing.kinds import Row, SkillInput

HEADINGS = "NIP;NAMA;STATUS;UNIT_KERJA;JABATAN;JENIS_JABATAN;ESELON;NIP_ATASAN;EMAIL;NO_HP"
NIP, BOSS = "198609262015051001", "198609262015051002"
cells = st.lists(st.text(), min_size=10, max_size=10)


def rows(kind: ImportKind, text: str) -> list[Row]:
    """The rows of a CSV file."""
    sheet = reading.read(text.encode())
    return kinds.rows_of(kind, sheet, columns.layout(kind, sheet.headings))


def one(kind: ImportKind, text: str) -> Row:
    """The only row of a CSV file."""
    (row,) = rows(kind, text)
    return row


@given(cells)
@example([NIP, "Re\u0301ne", "PNS", "X", "Pe\u0301nata", "-", "", "''" + BOSS, "", " "])
def test_a_row_is_cleaned_like_a_request(row: list[str]) -> None:
    """Whatever is in its cells: the rules are the same, but that a cell has one line."""
    layout = columns.layout("employees", HEADINGS.split(";"))
    sheet = reading.Sheet(headings=tuple(HEADINGS.split(";")), rows=((2, tuple(row)),))
    (read,) = kinds.rows_of("employees", sheet, layout)
    nip, name, status, unit, position, kind, echelon, boss, *contact = (" ".join(cell.split()) for cell in row)
    email, phone = contact
    expected = EmployeeInput(
        nip=nip,
        name=name,
        status=columns.word(status),
        unit=unit,
        position=position,
        position_kind=columns.position_kind(kind),
        echelon=echelon,
        supervisor_nip=boss,
        email=email,
        phone=phone,
    )
    assert _without_accents(read.input) == _without_accents(fields.cleaned(expected))


def _without_accents(given: object) -> EmployeeInput:
    """Fields in which only ASCII is right may be wrong in either form of an accent."""
    assert isinstance(given, EmployeeInput)
    wrong = {
        field: "not ASCII"
        for field in ("position_kind", "echelon", "email", "phone", "supervisor_nip")
        if isinstance(text := getattr(given, field), str) and not text.isascii()
    }
    return msgspec.structs.replace(given, **wrong)


def test_a_row_may_end_early() -> None:
    """The cells that it lacks are empty; a column that the file lacks leaves what is recorded."""
    row = one("employees", f"NIP;NAMA;STATUS;UNIT_KERJA;JABATAN;TMT\n'{NIP[:8]} {NIP[8:]};Budi;P.N.S.;DISDIK\n")
    assert row.input == EmployeeInput(
        nip=NIP,
        name="Budi",
        status="p_n_s",
        unit="DISDIK",
        position=None,
        position_kind=msgspec.UNSET,
        echelon=msgspec.UNSET,
        supervisor_nip=msgspec.UNSET,
        email=msgspec.UNSET,
        phone=msgspec.UNSET,
    )
    assert (row.number, row.key, row.parent) == (2, NIP, None)


def test_supervisors_come_first_and_a_second_row_is_refused() -> None:
    """However the numbers are written."""
    found = rows(
        "employees",
        f"NIP;NAMA;STATUS;UNIT_KERJA;NIP_ATASAN\n{NIP};a;PNS;X;{BOSS[:6]}.{BOSS[6:]}\n'{BOSS};b;PNS;X;-\n{NIP};c;PNS;X;\n",
    )
    assert [(row.number, row.key, row.parent, row.first) for row in found] == [
        (3, BOSS, None, True),
        (2, NIP, BOSS, True),
        (4, NIP, None, False),
    ]
    assert [row.refused.errors[0].pointer if row.refused else None for row in found] == [None, None, "/nip"]


def test_what_cannot_be_read_still_has_a_key() -> None:
    """So that rows which refer to it fall with it."""
    person = one("employees", f"NIP;NAMA;STATUS;UNIT_KERJA;AKTIF\n'{NIP};a;PNS;X;mungkin\n")
    assert (person.key, person.input, person.refused and person.refused.errors[0].pointer) == (
        NIP,
        None,
        "/active",
    )
    unit = one("units", "code;name;kind;tmt\nX;x;dinas;kemarin\n")
    assert (unit.key, unit.input, unit.refused and unit.refused.errors[0].pointer) == ("X", None, "/tmt")
    skill = one("skills", f"NIP;KOMPETENSI;TINGKAT\n{NIP};a/b;1\n")
    assert (skill.key, skill.refused and skill.refused.errors[0].pointer) == (NIP, "/competency")


def test_units_and_skills() -> None:
    """Of files that have no other columns than these."""
    unit = one("units", "kode;nama;jenis\nX ; Dinas  X;Perangkat Daerah\n")
    assert unit.input == UnitInput(code="X", name="Dinas X", kind="agency")
    skill = one("skills", f"NIP;KOMPETENSI;TINGKAT;TMT\n'{NIP};K;4;2 Mei 2016\n")
    since = datetime(2016, 5, 1, 17, tzinfo=UTC)
    assert skill.input == SkillInput(nip=NIP, competency="K", level=4, effective_at=since)
    assert skill.key == f"{NIP} K"
