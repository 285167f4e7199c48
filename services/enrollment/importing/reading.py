"""Files as spreadsheets and HR systems write them: CSV in its dialects, and XLSX."""

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from ..domain.imports import failure
from . import xlsx
from .tables import Line, table

LONGEST_CELL_LINES = 20
XLSX_START = b"PK\x03\x04"
DELIMITERS = ";,\t|"
QUOTED = re.compile(r'"[^"]*"')
csv.field_size_limit(16 * 1024 * 1024)  # A long cell is to reject its row, not the whole file.


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table. rows: number of the row in the file (the heading is 1) and its cells as text.

    delimiter: what stands between the cells; `;` for XLSX.
    """

    headings: tuple[str, ...]
    rows: tuple[Line, ...]
    delimiter: str = ";"


def read(content: bytes, waiting: xlsx.Waiting = lambda: None) -> Sheet:
    """The table in a file.

    Raises Refused (`unreadable`, `too-many-rows`, `too-heavy`), and what `waiting` raises.
    """
    delimiter = ";"
    if content.startswith(XLSX_START):
        found = table(xlsx.lines(content, waiting))
    else:
        text = _decoded(content)
        delimiter = _delimiter(text)
        found = table(enumerate(_csv(text, delimiter), start=1))
    if not found or any("\x00" in heading for heading in found[0][1]):
        raise failure("unreadable")
    # Numbers are those of the file as it lies there, blank lines counted, but the heading is always row 1.
    skipped = found[0][0] - 1
    rows = tuple((number - skipped, cells) for number, cells in found[1:])
    return Sheet(headings=found[0][1], rows=rows, delimiter=delimiter)


def _delimiter(text: str) -> str:
    """What the heading has most of, outside of quotes."""
    first = QUOTED.sub("", text[:10_000]).lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=first.count)


def _csv(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            # A quote that is never closed swallows the rest of the file.
            if any(cell.count("\n") > LONGEST_CELL_LINES for cell in cells):
                raise failure("unreadable")
            yield tuple(cells)
    except csv.Error:
        raise failure("unreadable") from None


def _decoded(content: bytes) -> str:
    """The text of a CSV file, without the line that tells spreadsheets its delimiter."""
    try:
        text = _characters(content)
    except UnicodeDecodeError:
        raise failure("unreadable") from None
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
