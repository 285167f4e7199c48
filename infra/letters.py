"""Text in composed letters (Unicode's NFC), without the runs of marks that make composing take minutes."""

import re
import unicodedata

from infra.problems import Text

MOST_MARKS = 30
"""Marks on one letter, by Unicode's stream-safe text format (UAX 15): composing sorts them, in quadratic time."""
TOO_MANY_MARKS = Text("Paling banyak {n} tanda pada satu huruf.", "At most {n} marks on one letter.").format(
    n=MOST_MARKS
)

_RUN = b"\1" * (MOST_MARKS + 1)
# No mark stands below U+0300, so that few texts are looked at letter by letter.
_SUSPECT = re.compile(f"[\u0300-\U0010ffff]{{{MOST_MARKS + 1},}}")


def overloaded(text: str) -> bool:
    """Whether some letter bears more than 30 marks: no language's does, and the text can't be composed cheaply."""
    if len(text) <= MOST_MARKS or text.isascii():
        return False
    return any(_RUN in bytes(map(_is_mark, run)) for run in _SUSPECT.findall(text))


def composed(text: str) -> str:
    """The text in composed letters; an overloaded one as it is, for its reader to refuse."""
    return text if text.isascii() or overloaded(text) else unicodedata.normalize("NFC", text)


def _is_mark(letter: str) -> bool:
    """Also where it is none by itself but is taken apart into marks, as three Tibetan vowels are."""
    return unicodedata.combining(unicodedata.normalize("NFD", letter)[0]) > 0
