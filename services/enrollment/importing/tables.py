"""What a file holds, whatever it is written in: rows of texts, no more of them than a worker can bear."""

from collections.abc import Iterable

from infra.letters import composed

from ..domain.imports import failure

MOST_ROWS = 100_000
MOST_COLUMNS = 100
"""What stands to the right of them is not read."""
MOST_CELLS = 2_000_000

Line = tuple[int, tuple[str, ...]]
"""The number of a row in the file, from 1, and its cells."""


def table(lines: Iterable[Line]) -> list[Line]:
    """The rows that are not blank, in composed letters, without blanks at their ends.

    Raises Refused (`too-many-rows`, `too-heavy`).
    """
    found: list[Line] = []
    cells = 0
    for number, line in lines:
        row = _filled(line)
        if not row:
            continue
        found.append((number, tuple(map(composed, row))))
        cells += len(row)
        if len(found) > MOST_ROWS + 1:
            raise failure("too-many-rows", n=MOST_ROWS)
        if cells > MOST_CELLS:
            raise failure("too-heavy")
    return found


def _filled(line: tuple[str, ...]) -> tuple[str, ...]:
    """Up to the last cell that is not blank."""
    width = min(len(line), MOST_COLUMNS)
    while width and (not line[width - 1] or line[width - 1].isspace()):
        width -= 1
    return line[:width]
