"""Imports: one file of employees, units or skills, taken in as a job that survives a restart."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from infra.problems import Refused, Text

ImportKind = Literal["employees", "units", "skills"]
ImportState = Literal["queued", "running", "done", "failed"]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows. With `complete` those who are missing in the file count as updated, too."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def plus(self, outcomes: Mapping[str, int]) -> "Counts":
        """With more outcomes."""
        return msgspec.structs.replace(
            self, **{name: getattr(self, name) + number for name, number in outcomes.items()}
        )


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What stopped an import, or what it left undone; in both languages."""

    rule: str
    id: str
    en: str

    @classmethod
    def of(cls, refused: Refused) -> "Trouble":
        """From a refusal."""
        return cls(rule=refused.rule, id=refused.detail.id, en=refused.detail.en)

    def refusal(self) -> Refused:
        """As a refusal again, to be told as a problem."""
        return Refused(self.rule, Text(self.id, self.en), status=422)


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One file to be taken in.

    default_at: the effective time of rows without TMT. dated: whether somebody told it. chunks: how many parts are
    done, those of the file, then those of the missing, each with its effects and counts in one transaction.
    attempts: workers that took it up since the last part was done. problem: what stopped it or was left undone.
    """

    id: str
    kind: ImportKind
    dry_run: bool
    complete: bool
    default_at: datetime
    dated: bool = True
    requested_by: str
    state: ImportState = "queued"
    progress: float = 0.0
    chunks: int = 0
    attempts: int = 0
    counts: Counts = Counts()
    ignored_columns: tuple[str, ...] = ()
    problem: Trouble | None = None


PROBLEMS: Mapping[str, Text] = {
    "no-headings": Text(
        "Baris pertama harus berisi judul kolom: {columns}.", "The first row must hold the headings: {columns}."
    ),
    "unreadable": Text(
        "Berkas tidak dapat dibaca sebagai CSV atau XLSX.", "The file can't be read as CSV or XLSX."
    ),
    "too-heavy": Text(
        "Isi berkas terlalu banyak; bagi atau simpan sebagai CSV.",
        "The file holds too much; split it or save it as CSV.",
    ),
    "too-many-rows": Text("Paling banyak {n} baris.", "At most {n} rows."),
    "gave-up": Text(
        "Pengerjaan berkas ini terhenti {n} kali; laporkan kepada pengelola.",
        "Work on this file broke off {n} times; tell those who run the service.",
    ),
    "internal": Text(
        "Terjadi kesalahan pada layanan; laporkan kepada pengelola.",
        "Something went wrong in the service; tell those who run it.",
    ),
    "complete-skipped": Text(
        "Sebagian NIP tidak terbaca, jadi tidak ada pegawai yang dinonaktifkan.",
        "Some NIPs can't be read, so nobody was made inactive.",
    ),
    "complete-empty": Text(
        "Berkas tidak berisi satu baris pun di bawah judul kolom, "
        "jadi tidak ada pegawai yang dinonaktifkan atau unit yang ditutup.",
        "The file has no row below the headings, so nobody was made inactive and no unit was closed.",
    ),
    "complete-codes": Text(
        "Sebagian kode unit tidak terbaca, jadi tidak ada unit yang ditutup.",
        "Some codes of units can't be read, so no unit was closed.",
    ),
    "units-in-use": Text(
        "Sebagian unit yang tidak ada di berkas masih dipakai, jadi tidak ditutup.",
        "Some units missing in the file are in use, so they were not closed.",
    ),
}
"""Why an import failed, or what it left undone."""


def failure(problem: str, **values: object) -> Refused:
    """What stopped an import, as a problem for those who read it."""
    return Refused(problem, PROBLEMS[problem].format(**values), status=422)
