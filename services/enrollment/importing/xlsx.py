"""XLSX files, read by a process of its own: kilobytes of XML can unpack to more than any machine bears.

`python -m services.enrollment.importing.xlsx` reads a file from its standard input and writes the table, or the
problem it has with it, to its standard output.
"""

import io
import resource
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import islice
from subprocess import DEVNULL, PIPE

import msgspec
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ..domain.imports import failure
from .tables import MOST_COLUMNS, MOST_ROWS, Line

MOST_UNPACKED = 128 * 1024 * 1024
MOST_TABLE = 32 * 1024 * 1024
"""Bytes that a file may unpack to, and that the texts in it may have; a city's 70,000 rows take half of them."""
MOST_MEMORY = 320 * 1024 * 1024
"""Beside the worker in a container of 512 MiB; the largest files of people take the half of it."""
MOST_SECONDS = 120
"""Of processor time."""
READER = ("-m", __name__)
LOOK_SECONDS = 1.0
LAST_ROW = 1_048_576
"""Of any spreadsheet."""
EXACT_NUMBERS = 10**15
"""Spreadsheets keep 15 digits of a number; longer ones are not what somebody typed."""
BROKEN = (
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
"""What the libraries raise over a broken file, the XML within it included."""

Waiting = Callable[[], None]
"""Called each second while a file is read; may raise, which ends the reading."""


def lines(content: bytes, waiting: Waiting) -> list[Line]:
    """The rows of the first sheet. Raises Refused (`unreadable`, `too-heavy`), and what `waiting` raises."""
    with subprocess.Popen([sys.executable, *READER], stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as reader:  # noqa: S603 - our own
        try:
            told = _heard(reader, content, waiting)
        finally:
            reader.kill()
    if reader.returncode:
        raise failure("too-heavy")
    found = msgspec.msgpack.decode(told, type=list[Line] | str)
    if isinstance(found, str):
        raise failure(found)
    return found


def _heard(reader: "subprocess.Popen[bytes]", content: bytes, waiting: Waiting) -> bytes:
    given: bytes | None = content
    while True:
        try:
            return reader.communicate(given, timeout=LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired:
            given = None
            waiting()


def _told(content: bytes) -> bytes:
    """The table, or the name of the problem."""
    try:
        # One row more than a file may have shows that it has too many.
        told = msgspec.msgpack.encode(list(islice(_lines(content), MOST_ROWS + 2)))
    except BROKEN:
        return msgspec.msgpack.encode("unreadable")
    return told if len(told) <= MOST_TABLE else msgspec.msgpack.encode("too-heavy")


def _lines(content: bytes) -> Iterator[Line]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
            raise MemoryError
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheet = workbook.worksheets[0]
    # Not every program writes the true size of the sheet into it.
    sheet.reset_dimensions()
    bounded = sheet.iter_rows(max_row=LAST_ROW, max_col=MOST_COLUMNS, values_only=True)
    for number, row in enumerate(bounded, start=1):
        if row.count(None) < len(row):
            yield number, tuple(_text(value) for value in row)


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
    return str(value)


def _number(value: float) -> str:
    """Digits beyond the fifteenth are lost: such a number shows itself as one, so that no NIP is made of it."""
    if abs(value) >= EXACT_NUMBERS:
        return f"{value:.15E}"
    return str(int(value)) if float(value).is_integer() else str(value)


def main() -> None:
    """What the reading process does, within its limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    sys.stdout.buffer.write(_told(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
