"""What is printed: figures for people, and commands that a shell takes apart as they were meant."""

import re
import shlex

import pytest

from demo.show.handout import _curl, _objects_with
from demo.show.report import _shown
from demo.trial import _documents


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"value": 0.2653, "numerator": 39, "denominator": 147, "measure": "ratio"}, "26.5%  (39 of 147)"),
        ({"value": 2203, "numerator": 2203, "denominator": None, "measure": "count"}, "2,203"),
        ({"value": 5.3333, "numerator": 320, "denominator": 60, "measure": "hours"}, "5.33"),
        ({"value": 1.04, "numerator": 1248, "denominator": 1200, "measure": "jp"}, "1.04  (1,248 / 1,200)"),
        ({"value": None, "numerator": 0, "denominator": 0, "measure": "ratio"}, "-"),
        (None, "-"),
    ],
)
def test_figures_show_what_was_divided(row: dict[str, object] | None, text: str) -> None:
    """Who reads a share sees of how many."""
    assert _shown(row) == text


def test_a_command_survives_the_shell() -> None:
    """Quotes in a summary stay inside the body."""
    line = _curl("abc", ["-X", "PUT", "http://x/v1/sessions/1?a=1&b=2"], {"summary": "Kami 'coba' \"lagi\""})
    parts = shlex.split(line)
    assert parts[0] == "curl" and "http://x/v1/sessions/1?a=1&b=2" in parts
    assert parts[-1] == '{"summary": "Kami \'coba\' \\"lagi\\""}'
    assert "Authorization: Bearer abc" in parts


def test_only_the_figure_and_its_record_are_picked() -> None:
    """Neither the figure's parts nor other records."""
    answers = (
        '{"items":[{"id":"reach","part":null},{"id":"sessions","part":null,"value":3},{"id":"sessions","part":"x"}]}'
        '{"items":[{"type":"session","id":"abc","at":"2026"},{"type":"session","id":"abd","at":"2026"}]}'
    )
    found = [match.group() for match in re.finditer(_objects_with("sessions", "abc"), answers)]
    assert found == ['{"id":"sessions","part":null,"value":3}', '{"type":"session","id":"abc","at":"2026"}']


def test_answers_of_several_addresses_are_read_one_by_one() -> None:
    """Each stands on a line of its own."""
    assert list(_documents('{"a": 1}\n\n{"b": 2}\n')) == [{"a": 1}, {"b": 2}]
