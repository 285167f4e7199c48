"""Headings and words of files, Indonesian or English, in any case, and what they mean here."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from infra.clock import start_of
from infra.problems import FieldError, Text, invalid

from ..domain.imports import ImportKind, failure

Names = Mapping[str, tuple[str, ...]]

EMPLOYEES: Names = {
    "nip": ("nip", "nip_baru"),
    "name": ("nama", "name", "nama_lengkap", "nama_pegawai", "full_name"),
    "status": ("status", "status_kepegawaian", "employment_status"),
    "unit": ("unit_kerja", "unit", "kode_unit", "unit_code", "opd"),
    "position": ("jabatan", "position", "nama_jabatan"),
    "position_kind": ("jenis_jabatan", "position_kind"),
    "echelon": ("eselon", "echelon"),
    "supervisor_nip": ("nip_atasan", "atasan", "supervisor_nip", "supervisor"),
    "email": ("email", "e_mail", "surel"),
    "phone": ("no_hp", "hp", "telepon", "no_telepon", "phone", "mobile"),
    "active": ("aktif", "active"),
    "tmt": ("tmt", "effective_at", "berlaku_sejak"),
}
UNITS: Names = {
    "code": ("code", "kode", "kode_unit", "unit_code"),
    "name": ("name", "nama", "nama_unit"),
    "kind": ("kind", "jenis", "jenis_unit"),
    "parent": ("parent", "induk", "kode_induk", "parent_code"),
    "tmt": EMPLOYEES["tmt"],
}
SKILLS: Names = {
    "nip": EMPLOYEES["nip"],
    "competency": ("kompetensi", "competency", "kode_kompetensi"),
    "level": ("tingkat", "level"),
    "tmt": EMPLOYEES["tmt"],
}
COLUMNS: Mapping[ImportKind, Names] = {"employees": EMPLOYEES, "units": UNITS, "skills": SKILLS}
REQUIRED: Mapping[ImportKind, tuple[str, ...]] = {
    "employees": ("nip", "name", "status", "unit"),
    "units": ("code", "name", "kind"),
    "skills": ("nip", "competency", "level"),
}

BETWEEN = re.compile(r"[\W_]+")
POSITION_KINDS = {
    "struktural": "structural",
    "fungsional": "functional",
    "fungsional_tertentu": "functional",
    "fungsional_umum": "operational",
    "pelaksana": "operational",
}
UNIT_KINDS = {
    "kota": "city",
    "dinas": "agency",
    "badan": "agency",
    "opd": "agency",
    "perangkat_daerah": "agency",
    "kecamatan": "district",
    "kelurahan": "village",
    "bidang": "division",
    "bagian": "division",
    "seksi": "section",
    "subbagian": "section",
}
TRUTHS = {"ya": True, "y": True, "true": True, "1": True, "aktif": True, "yes": True} | {
    "tidak": False,
    "t": False,
    "false": False,
    "0": False,
    "nonaktif": False,
    "no": False,
    "n": False,
}
MONTHS = {
    start: number
    for number, starts in enumerate(
        (
            "jan",
            "feb peb",
            "mar",
            "apr",
            "mei may",
            "jun",
            "jul",
            "agu aug",
            "sep",
            "okt oct",
            "nov nop",
            "des dec",
        ),
        start=1,
    )
    for start in starts.split()
}
"""How names of months begin, in both languages."""
DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?: 00:00(?::00)?)?", re.ASCII),
    re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)", re.ASCII),
    re.compile(r"(?P<d>\d\d?)[-/.](?P<m>\d\d?)[-/.](?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<d>\d\d?)[ -](?P<m>[A-Za-z]{3,9})[ -](?P<y>\d{4})", re.ASCII),
)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which column holds which field. ignored: headings that mean nothing here, as written."""

    places: Mapping[str, int]
    ignored: tuple[str, ...]

    def texts(self, cells: Sequence[str]) -> Mapping[str, str]:
        """A row's text for each field that has a column, on one line; empty where the row is too short."""
        width = len(cells)
        return {
            field: " ".join(cells[place].split()) if place < width else "" for field, place in self.places.items()
        }


def layout(kind: ImportKind, headings: Sequence[str]) -> Layout:
    """Where the fields stand. Raises Refused (`no-headings`) when a required column is missing."""
    meanings = {name: field for field, names in COLUMNS[kind].items() for name in names}
    places: dict[str, int] = {}
    ignored: list[str] = []
    for place, heading in enumerate(headings):
        field = meanings.get(word(heading))
        if field is None or field in places:
            if heading.strip():
                ignored.append(heading.strip())
        else:
            places[field] = place
    missing = [COLUMNS[kind][field][0].upper() for field in REQUIRED[kind] if field not in places]
    if missing:
        raise failure("no-headings", columns=", ".join(missing))
    return Layout(places=places, ignored=tuple(ignored))


def word(text: str) -> str:
    """A heading or word without case, blanks and punctuation: `Jenis Jabatan` is `jenis_jabatan`."""
    return BETWEEN.sub("_", text.strip().casefold()).strip("_")


def position_kind(text: str) -> str:
    """What a file calls the kind of position, by our name where we know it."""
    kind = word(text)
    return POSITION_KINDS.get(kind, kind)


def day(text: str) -> datetime | None:
    """The instant at which a day begins, None for an empty cell.

    `2016-01-31`, `31-01-2016`, `31/01/2016`, `31.01.2016`, `20160131`, `31 Januari 2016`.
    """
    if not text:
        return None
    for form in DATES:
        if match := form.fullmatch(text):
            try:
                month = MONTHS.get(match["m"][:3].lower()) or int(match["m"])
                return start_of(date(int(match["y"]), month, int(match["d"])))
            except (ValueError, OverflowError):
                break
    raise invalid(FieldError("/tmt", Text("TMT harus tanggal, misalnya 31-01-2016.", "TMT must be a date.")))


def truth(text: str) -> bool:
    """Yes or no; an empty cell is yes, since a file lists those who are in service."""
    found = TRUTHS.get(word(text)) if text else True
    if found is None:
        raise invalid(FieldError("/active", Text("Harus ya atau tidak.", "Must be yes or no.")))
    return found


def level(text: str) -> int:
    """A level from 0 to 4."""
    if text not in ("0", "1", "2", "3", "4"):
        raise invalid(FieldError("/level", Text("Tingkat harus 0 sampai 4.", "The level must be from 0 to 4.")))
    return int(text)
