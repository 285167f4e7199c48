"""Files as spreadsheets and HR systems write them: CSV in its dialects, and XLSX."""

import csv
import io
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
    """A table. rows: number of the row in the file (the heading is 1) and its cells as text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(content: bytes) -> Sheet:
    """The table in a file. Raises Refused (`unreadable`, `too-many-rows`)."""
    try:
        table = _table(_xlsx(content) if content.startswith(XLSX_START) else _csv(content))
    except BROKEN:
        raise failure("unreadable") from None
    if not table:
        raise failure("unreadable")
    # Numbers are those of the file as it lies there, blank lines counted, but the heading is always row 1.
    skipped = table[0][0] - 1
    return Sheet(headings=table[0][1], rows=tuple((number - skipped, cells) for number, cells in table[1:]))


def _table(rows: Iterator[tuple[str, ...]]) -> list[tuple[int, tuple[str, ...]]]:
    """The rows that are not blank, with their numbers."""
    table: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in enumerate(rows, start=1):
        if any(cell.strip() for cell in cells):
            table.append((number, cells))
        if len(table) > MOST_ROWS + 1:
            raise failure("too-many-rows", n=MOST_ROWS)
    return table


def _csv(content: bytes) -> Iterator[tuple[str, ...]]:
    text = unicodedata.normalize("NFC", _decoded(content))
    if "\x00" in text:
        raise ValueError("no text")
    if text.lower().startswith("sep="):
        text = text.split("\n", 1)[1]
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any(cell.count("\n") > LONGEST_CELL_LINES for cell in cells):
            raise ValueError("a quote is never closed")
        yield tuple(cells)


def _decoded(content: bytes) -> str:
    """UTF-8 with or without a byte-order mark, UTF-16 with one, else what old Windows programs write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
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
        for row in workbook.worksheets[0].iter_rows(values_only=True):
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
