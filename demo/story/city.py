"""The city as the HR portal's files have it: units and the people in them."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

BEGINNING = date(2016, 1, 1)
"""The day from which the demo's records run: everything older is entered as of this day."""


@dataclass(frozen=True)
class Unit:
    """A place in the organisation tree; `code` is its key."""

    code: str
    name: str
    kind: str
    parent: str | None


@dataclass(frozen=True)
class Person:
    """One row of the HR portal's export. `nip` identifies; `since` is the day from which the row holds."""

    nip: str
    name: str
    status: str
    unit: str
    position: str
    position_kind: str
    echelon: str | None
    supervisor: str | None
    email: str
    phone: str
    since: date


@dataclass(frozen=True)
class City:
    """Units and people with the questions that the story asks of them."""

    units: Mapping[str, Unit]
    people: Mapping[str, Person]

    @cached_property
    def _by_unit(self) -> dict[str, list[Person]]:
        groups: dict[str, list[Person]] = {code: [] for code in self.units}
        for person in self.people.values():
            groups[person.unit].append(person)
        return {code: sorted(group, key=lambda p: p.nip) for code, group in groups.items()}

    def staff(self, unit: str) -> list[Person]:
        """The people of exactly this unit, in a fixed order."""
        return self._by_unit[unit]

    def chain(self, unit: str) -> list[str]:
        """The unit and all above it, the city last."""
        code: str | None = unit
        codes = []
        while code is not None:
            codes.append(code)
            code = self.units[code].parent
        return codes

    def below(self, unit: str) -> list[str]:
        """The unit and all below it."""
        return [code for code in self.units if unit in self.chain(code)]

    def superiors(self, person: Person) -> Iterator[Person]:
        """The supervisor, the supervisor's supervisor, and so on."""
        above = person.supervisor
        while above is not None:
            boss = self.people[above]
            yield boss
            above = boss.supervisor

    def reports(self, person: Person) -> list[Person]:
        """Those whose direct supervisor this person is."""
        return [p for p in self.people.values() if p.supervisor == person.nip]

    def head(self, unit: str) -> Person:
        """The one of the unit's people whose supervisor works elsewhere."""
        return next(p for p in self.staff(unit) if p.supervisor and self.people[p.supervisor].unit != unit)


def read_city(folder: Path) -> City:
    """Reads `units.csv` and `employees.csv` as an HR system writes them."""
    units = {}
    for row in csv.DictReader(io.StringIO(_text(folder / "units.csv"))):
        units[row["code"]] = Unit(row["code"], row["name"], row["kind"], row["parent"] or None)
    rows = csv.DictReader(io.StringIO(_text(folder / "employees.csv")), delimiter=";")
    people = {person.nip: person for person in map(_person, rows)}
    return City(units, people)


def employees_upload(folder: Path) -> str:
    """`employees.csv` with one more column, TMT: the day from which each row holds."""
    rows = csv.DictReader(io.StringIO(_text(folder / "employees.csv")), delimiter=";")
    out = io.StringIO()
    writer = csv.DictWriter(out, [*(rows.fieldnames or ()), "TMT"], delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "TMT": appointed(row["NIP"], row["STATUS"]).isoformat()})
    return out.getvalue()


def appointed(nip: str, status: str) -> date:
    """The first day of the appointment that the NIP tells, not before the records begin.

    Digits 13-14 are a month, except for PPPK, whose year is all that the number says.
    """
    month = 1 if status.upper() == "PPPK" else int(nip[12:14])
    return max(BEGINNING, date(int(nip[8:12]), month, 1))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


_POSITION_KINDS = {"struktural": "structural", "fungsional": "functional", "pelaksana": "operational"}


def _person(row: Mapping[str, str]) -> Person:
    return Person(
        nip=row["NIP"],
        name=row["NAMA"],
        status=row["STATUS"].lower(),
        unit=row["UNIT_KERJA"],
        position=row["JABATAN"],
        position_kind=_POSITION_KINDS[row["JENIS_JABATAN"]],
        echelon=row["ESELON"] or None,
        supervisor=row["NIP_ATASAN"] or None,
        email=row["EMAIL"],
        phone=row["NO_HP"],
        since=appointed(row["NIP"], row["STATUS"]),
    )
