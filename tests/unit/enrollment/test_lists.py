"""Lists of employees and units, judged as a whole; and what files are made of."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clock import JAKARTA
from infra.problems import Refused
from services.enrollment.domain.employees import Employee
from services.enrollment.domain.fields import EmployeeInput, UnitInput, cleaned
from services.enrollment.domain.histories import Times
from services.enrollment.domain.roster import Decision, Known, decide
from services.enrollment.domain.unit_list import decide_units
from services.enrollment.importing import columns, reading
from tests.unit.enrollment.people import CITY, TREE, person, t

NOW = t(2026, 11, 24)
TIMES = Times(NOW, NOW)
NIPS = [f"19860926201505100{number}" for number in range(1, 9)]


def row(nip: str, boss: str | None = None, **more: Any) -> EmployeeInput:
    """One employee as a list has them."""
    fields = {"nip": nip, "name": "Budi", "status": "pns", "unit": "DISDIK", "supervisor_nip": boss, **more}
    return EmployeeInput(**fields)


def judged(rows: list[EmployeeInput], known: Mapping[str, Employee] | None = None) -> list[Decision]:
    """What becomes of a list; ids are made of the NIP, so that supervisors can be looked at."""
    people = known or {}
    numbers = iter(range(1000))
    supervisors = {one.id: one.now.supervisor_id for one in people.values()}
    records = Known(employees=people, supervisors=supervisors, tree=lambda _: TREE)
    return decide([cleaned(each) for each in rows], records, TIMES, lambda: f"new-{next(numbers)}")


def rules(decisions: list[Decision]) -> list[str | None]:
    """The refusing rule of each, None where it stands."""
    return [one.refused.rule if one.refused else None for one in decisions]


bosses = st.lists(st.one_of(st.none(), st.sampled_from(NIPS)), min_size=1, max_size=len(NIPS))


@given(bosses, st.sets(st.integers(0, 7)))
def test_what_stands_forms_no_circle_and_names_nobody_rejected(wanted: list[str | None], broken: set[int]) -> None:
    """Whoever names whom, in whatever order, with whichever rows broken."""
    rows = [
        row(NIPS[number], boss, **({"name": " "} if number in broken else {}))
        for number, boss in enumerate(wanted)
    ]
    decisions = judged(rows)
    standing = {one.employee.id: one.employee for one in decisions if one.outcome == "created" and one.employee}
    for one in standing.values():
        seen, boss = {one.id}, one.now.supervisor_id
        while boss is not None:
            assert boss in standing
            assert boss not in seen
            seen.add(boss)
            boss = standing[boss].now.supervisor_id
    assert all((one.outcome == "rejected") == (one.refused is not None) for one in decisions)
    assert all(one.refused.errors for one in decisions if one.refused)


def test_a_row_falls_with_its_supervisor_however_far_up() -> None:
    """And only such rows."""
    rows = [row(NIPS[0], NIPS[1]), row(NIPS[1], NIPS[2]), row(NIPS[2], name=""), row(NIPS[3])]
    assert rules(judged(rows)) == ["supervisor-rejected", "supervisor-rejected", "invalid", None]


def test_a_circle_with_people_known_before_is_found() -> None:
    """One row is enough to close it."""
    known = {NIPS[0]: person("a", boss="b"), NIPS[1]: person("b")}
    assert rules(judged([row(NIPS[1], NIPS[0])], known)) == ["supervisor-cycle"]
    swapped = [row(NIPS[1], NIPS[0]), row(NIPS[0])]
    assert rules(judged(swapped, known)) == [None, None]


def test_only_what_differs_is_updated() -> None:
    """What a file has no column for stays as it is; equal rows change nothing, whatever their date."""
    known = {NIPS[0]: person("a", position="Guru", since=NOW)}
    same = row(NIPS[0], effective_at=t(2015), name="Contoh", position="Guru")
    assert [one.outcome for one in judged([same], known)] == ["unchanged"]
    early = row(NIPS[0], effective_at=t(2015), name="Contoh", position="Kepala")
    assert rules(judged([early], known)) == ["effective-order"]
    renamed = judged([row(NIPS[0], name="Baru", position="Guru")], known)[0]
    assert renamed.outcome == "updated"
    assert renamed.employee is not None
    assert renamed.employee.history == known[NIPS[0]].history


@pytest.mark.parametrize("news", [{"name": "Baru"}, {"email": "a@example.go.id"}, {"phone": "0215550000"}])
def test_a_new_name_or_address_is_a_step_in_order_too(news: dict[str, str]) -> None:
    """It may not precede the step before it, and no later step may precede it; nobody is placed anew by it."""
    known = {NIPS[0]: person("a", position="Guru", since=t(2016))}
    same = {"name": "Contoh", "position": "Guru"}
    assert rules(judged([row(NIPS[0], effective_at=t(2015), **same | news)], known)) == ["effective-order"]
    (made,) = judged([row(NIPS[0], effective_at=t(2018), **same | news)], known)
    assert made.employee is not None
    assert [part.since for part in made.employee.history] == [t(2016), t(2018)]
    assert msgspec.structs.replace(made.employee.now, since=t(2016)) == known[NIPS[0]].now
    moved = row(NIPS[0], effective_at=t(2017), **same | news | {"position": "Kepala"})
    assert rules(judged([moved], {NIPS[0]: made.employee})) == ["effective-order"]


def test_names_are_tidied() -> None:
    """Composed letters and single blanks; a line break inside is refused, since a quote may be missing."""
    names = ["  Ni\u00a0Luh   Putu ", "Re\u0301ne", "Budi\nAni"]
    found = judged([row(nip, name=name) for nip, name in zip(NIPS, names, strict=False)])
    assert [one.employee and one.employee.name for one in found] == ["Ni Luh Putu", "R\u00e9ne", None]


def test_units_may_name_parents_that_come_later() -> None:
    """What hangs on a rejected one falls; a second root and circles are refused."""
    rows = [
        UnitInput(code="X-1", name="x", kind="section", parent="X"),
        UnitInput(code="X", name="x", kind="agency", parent="CITY"),
        UnitInput(code="Y-1", name="y", kind="section", parent="Y"),
        UnitInput(code="Y", name="", kind="agency", parent="CITY"),
        UnitInput(code="ROOT", name="r", kind="city"),
        UnitInput(code="P", name="p", kind="agency", parent="Q"),
        UnitInput(code="Q", name="q", kind="agency", parent="P"),
        UnitInput(code="X", name="again", kind="agency", parent="CITY"),
        UnitInput(code="Z", name="z", kind="agency", parent="NOWHERE"),
    ]
    found = decide_units(rows, {one.id: one for one in CITY}, TIMES)
    assert [one.refused.rule if one.refused else None for one in found] == [
        None,
        None,
        "parent-rejected",
        "invalid",
        "unit-root",
        "unit-cycle",
        "unit-cycle",
        "invalid",
        "unit-unknown",
    ]


@pytest.mark.parametrize("text", ["2016-01-31", "31-01-2016", "31/01/2016", "31.1.2016"])
def test_dates_of_files(text: str) -> None:
    """The day begins in Jakarta."""
    assert columns.day(text) == datetime(2016, 1, 31, tzinfo=JAKARTA).astimezone(UTC)


@pytest.mark.parametrize("text", ["2016-02-30", "31/13/2016", "kemarin", "42400", "1/2/16"])
def test_what_is_no_date(text: str) -> None:
    """Two readings of one date are none."""
    with pytest.raises(Refused):
        columns.day(text)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    """Nothing that somebody uploads breaks the job."""
    with suppress(Refused):
        columns.layout("employees", reading.read(content).headings)


def test_rows_bear_the_numbers_of_the_file() -> None:
    """The heading is row 1; blank lines count, quoted line breaks don't."""
    sheet = reading.read(b'\n\nNIP;NAMA\n1;"a\nb"\n\n2;c\n')
    assert sheet.headings == ("NIP", "NAMA")
    assert sheet.rows == ((2, ("1", "a\nb")), (4, ("2", "c")))


def test_a_quote_that_is_never_closed_is_no_table() -> None:
    """Else the rest of the file would vanish into one cell."""
    with pytest.raises(Refused, match="unreadable"):
        reading.read(b'NIP;NAMA\n1;"a\n' + b"2;b\n" * 50)
