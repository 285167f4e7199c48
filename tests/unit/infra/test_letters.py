"""Text in composed letters, and what can't be composed in reasonable time."""

import unicodedata

import pytest

from infra.letters import MOST_MARKS, composed, overloaded

ACUTE, BELOW = "\u0301", "\u0316"


@pytest.mark.parametrize(
    "text", ["Budi", "Ni Luh e\u0301", "ꦧꦶꦤ", "क्षि" * 100, "中文" * 100, "a" + ACUTE * MOST_MARKS]
)
def test_what_languages_write_is_composed(text: str) -> None:
    """As Unicode says, long words of other scripts included, up to 30 marks on a letter."""
    assert not overloaded(text)
    assert composed(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("mark", [ACUTE, "\u0f73", "\U0001d165"])
def test_a_letter_with_a_heap_of_marks_is_left_alone(mark: str) -> None:
    """Wherever it stands, and also where each is a vowel by itself, that is taken apart into marks."""
    text = f"Ni Luh é a{mark * (MOST_MARKS + 1)} dan lain-lain"
    assert overloaded(text)
    assert composed(text) is text


def test_composing_never_takes_long() -> None:
    """60 KB that Unicode's own algorithm works on for seconds."""
    text = "a" + (ACUTE * 15_000 + BELOW * 15_000) * 20
    assert composed(text) is text


def test_no_mark_stands_where_none_is_looked_for() -> None:
    """Neither as it is nor taken apart do letters below U+0300 begin with one."""
    low = map(chr, range(0x300))
    assert not any(unicodedata.combining(unicodedata.normalize("NFD", letter)[0]) for letter in low)
