"""Files as spreadsheets and HR systems write them: CSV in its dialects, and XLSX."""

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime

import msgspec
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ..domain.imports import failure

MOST_ROWS = 100_000
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes that an XLSX may unpack to."""
EXACT_NUMBERS = 10**15
"""Spreadsheets keep 15 digits of a number; longer ones are not what somebody typed."""
LONGEST_CELL_LINES = 20
XLSX_START = b"PK\x03\x04"
DELIMITERS = ";,\t|"
QUOTED = re.compile(r'"[^"]*"')
csv.field_size_limit(16 * 1024 * 1024)  # A long cell is to reject its row, not the whole file.
BROKEN = (
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What the libraries raise over a broken file, the XML within an XLSX included."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table. rows: number of the row in the file (the heading is 1) and its cells as text.

    delimiter: what stands between the cells; `;` for XLSX.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str = ";"


def read(content: bytes) -> Sheet:
    """The table in a file. Raises Refused (`unreadable`, `too-many-rows`)."""
    delimiter = ";"
    try:
        if content.startswith(XLSX_START):
            table = _table(_xlsx(content))
        else:
            text = _decoded(content)
            delimiter = _delimiter(text)
            table = _table(_csv(text, delimiter))
    except BROKEN:
        raise failure("unreadable") from None
    if not table or any("\x00" in heading for heading in table[0][1]):
        raise failure("unreadable")
    # Numbers are those of the file as it lies there, blank lines counted, but the heading is always row 1.
    skipped = table[0][0] - 1
    rows = tuple((number - skipped, cells) for number, cells in table[1:])
    return Sheet(headings=table[0][1], rows=rows, delimiter=delimiter)


def _table(rows: Iterator[tuple[str, ...]]) -> list[tuple[int, tuple[str, ...]]]:
    """The rows that are not blank, with their numbers."""
    table: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in enumerate(rows, start=1):
        if any(cell.strip() for cell in cells):
            table.append((number, cells))
        if len(table) > MOST_ROWS + 1:
            raise failure("too-many-rows", n=MOST_ROWS)
    return table


def _delimiter(text: str) -> str:
    """What the heading has most of, outside of quotes."""
    first = QUOTED.sub("", text[:10_000]).lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=first.count)


def _csv(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any(cell.count("\n") > LONGEST_CELL_LINES for cell in cells):
            raise ValueError("a quote is never closed")
        yield tuple(cells)


def _decoded(content: bytes) -> str:
    """The text of a CSV file, without the line that tells spreadsheets its delimiter."""
    text = unicodedata.normalize("NFC", _characters(content))
    return text.split("\n", 1)[1] if text.lower().startswith("sep=") else text


def _characters(content: bytes) -> str:
    """UTF-8 or UTF-16, with or without a byte-order mark, else what old Windows programs write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    # Headings are ASCII: without a mark, every other byte of theirs is zero.
    even, odd = content[:20:2], content[1:20:2]
    if len(content) >= 20 and all(even) and not any(odd):
        return content.decode("utf-16-le")
    if len(content) >= 20 and all(odd) and not any(even):
        return content.decode("utf-16-be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _xlsx(content: bytes) -> Iterator[tuple[str, ...]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
            raise ValueError("unpacks to too much")
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = workbook.worksheets[0]
        # Not every program writes the true size of the sheet into it.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            yield tuple(_text(value) for value in row)
    finally:
        workbook.close()


def _text(value: object) -> str:
    """A cell as it would stand in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value)
    return unicodedata.normalize("NFC", str(value))


def _number(value: float) -> str:
    """Digits beyond the fifteenth are lost: such a number shows itself as one, so that no NIP is made of it."""
    if abs(value) >= EXACT_NUMBERS:
        return f"{value:.15E}"
    return str(int(value)) if float(value).is_integer() else str(value)
