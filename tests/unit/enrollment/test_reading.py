"""Files that are made to stop whoever reads them: each ends in seconds, in bounded memory, with a reason."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from infra.problems import Refused
from services.enrollment.importing import xlsx
from services.enrollment.importing.reading import read
from services.enrollment.importing.tables import MOST_CELLS, MOST_COLUMNS

CELL = b'<c t="str"><v>x</v></c>'
MARKS = "a" + "\u0301" * 40


def book(rows: bytes) -> bytes:
    """An XLSX file with these rows, as XML."""
    file, made = io.BytesIO(), io.BytesIO()
    Workbook().save(file)
    with zipfile.ZipFile(file) as plain, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in plain.namelist():
            sheet = name == "xl/worksheets/sheet1.xml"
            start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            target.writestr(name, start + rows + b"</sheetData></worksheet>" if sheet else plain.read(name))
    return made.getvalue()


def rule_for(content: bytes) -> str:
    """Why the file is refused."""
    with pytest.raises(Refused) as refused:
        read(content)
    return refused.value.rule


def test_columns_far_out_are_not_read() -> None:
    """5,000 rows with a cell in the last column of all would be 700 MB of blanks."""
    rows = b"<row>" + CELL + b'<c r="ZZZ1" t="str"><v>x</v></c></row>'
    assert read(book(rows * 5_000)).headings == ("x",)
    assert len(read(book(b"<row>" + CELL * (MOST_COLUMNS + 1) + b"</row>")).headings) == MOST_COLUMNS


def test_rows_far_down_are_not_waited_for() -> None:
    """Up to the last row of any spreadsheet, and no further."""
    rows = b"<row>" + CELL + b'</row><row r="1048576">' + CELL + b"</row>"
    assert [number for number, _ in read(book(rows)).rows] == [1_048_576]
    assert read(book(rows.replace(b"1048576", b"999999999999"))).rows == ()


def test_xml_that_takes_too_much_memory_ends_the_reader_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """5 KB of file unpack to hundreds of megabytes: the process that reads them is refused the memory."""
    small = "from services.enrollment.importing import xlsx; xlsx.MOST_MEMORY //= 2; xlsx.main()"
    monkeypatch.setattr(xlsx, "READER", ("-c", small))
    assert read(book(b"<row>" + CELL + b"</row>")).headings == ("x",)
    assert rule_for(book(b"<row>" + b"<c/>" * 1_000_000 + b"</row>")) == "too-heavy"


def test_a_file_that_takes_too_long_ends_the_reader_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the processor time it may have."""
    busy = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    monkeypatch.setattr(xlsx, "READER", ("-c", busy))
    assert rule_for(book(b"")) == "too-heavy"


def test_a_worker_that_is_to_end_does_not_wait_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised meanwhile ends the reading."""

    class Stopped(Exception):
        """The worker is to end."""

    def stop() -> None:
        raise Stopped

    monkeypatch.setattr(xlsx, "READER", ("-c", "import time; time.sleep(600)"))
    with pytest.raises(Stopped):
        read(book(b""), stop)


def test_more_cells_than_anybody_needs_are_refused() -> None:
    """In any kind of file."""
    line = b"x;" * MOST_COLUMNS + b"\n"
    assert rule_for(line * (MOST_CELLS // MOST_COLUMNS + 1)) == "too-heavy"


def test_a_heap_of_marks_in_one_cell_is_left_to_its_row() -> None:
    """It is not composed; all the others are."""
    sheet = read(f"NIP;NAMA\n1;{MARKS}\n2;e\u0301\n".encode())
    assert [cells[1] for _, cells in sheet.rows] == [MARKS, "é"]
