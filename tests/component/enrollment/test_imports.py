"""Files of units, employees and skills, as outside users have them."""

import csv
import io
import time
from pathlib import Path

from tests.component.enrollment.programme import Programme

DATA = Path(__file__).parents[3] / "data"
if not DATA.exists():
    DATA = Path("/work/shared/data")


def data(name: str) -> bytes:
    """One of the project's files."""
    return (DATA / name).read_bytes()


def rejects(programme: Programme, import_id: str, language: str = "en") -> list[dict[str, str]]:
    """The rejected rows as a spreadsheet would show them."""
    answer = programme.hr.get(f"/v1/imports/{import_id}/rejects.csv", language=language).expect(200)
    return list(csv.DictReader(io.StringIO(str(answer.body).lstrip("\ufeff")), delimiter=";"))


def test_every_broken_row_ends_as_expected(programme: Programme) -> None:
    """What a row is blamed for is what the expected file says, row by row."""
    programme.take_in("units", data("units.csv"))
    done = programme.take_in("employees", data("employees_broken.csv"))
    blamed = {row["row"]: row["field"] for row in rejects(programme, done["id"])}
    expected = list(csv.DictReader(io.StringIO(data("employees_broken.expected.csv").decode())))
    assert blamed == {row["row"]: row["field"] for row in expected if row["outcome"] == "rejected"}
    counts = {"rows": 28, "created": 7, "updated": 0, "unchanged": 0, "rejected": 21}
    assert (done["state"], done["counts"]) == ("done", counts)


def test_a_city_is_imported_quickly_and_again_without_change(programme: Programme) -> None:
    """148 units and 1,200 people; a second time nothing changes, and no version moves."""
    units = programme.take_in("units", data("units.csv"))
    assert units["counts"]["created"] == 148
    started = time.perf_counter()
    people = programme.take_in("employees", data("employees.csv"))
    took = time.perf_counter() - started
    assert people["counts"] == {"rows": 1200, "created": 1200, "updated": 0, "unchanged": 0, "rejected": 0}
    assert took < 5, f"{took:.1f} s"
    again = programme.take_in("employees", data("employees.csv"))
    assert again["counts"]["unchanged"] == 1200
    print(took)
