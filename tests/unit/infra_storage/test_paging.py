"""Cursors that somebody made up: nothing but the list's own values gets into a comparison."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from infra.problems import Refused
from infra.storage.paging import decode, encode
from infra.web.paging import piece

AT = datetime(2026, 5, 16, tzinfo=UTC)


@pytest.mark.parametrize("values", [[], ["a"], [1, "b", 3], ["a"] * 3])
def test_a_cursor_comes_back_as_it_was(values: list[Any]) -> None:
    """With the types that its list has."""
    assert decode(encode(values), *map(type, values)) == values


@pytest.mark.parametrize(
    "values", [["a", 0], ["a", None], ["a", AT], [b"a", "b"], ["a"], ["a", "b", "c"], [{}, "b"]]
)
def test_values_of_other_types_are_refused(values: list[Any]) -> None:
    """Also where each of them may stand in some cursor."""
    with pytest.raises(Refused, match="invalid"):
        decode(encode(values), str, str)


@given(st.text(alphabet="AQgwxyz0189-_", max_size=80), st.integers(0, 3))
def test_any_text_is_a_cursor_or_refused(text: str, size: int) -> None:
    """Nothing else is raised, and nothing but plain values comes out."""
    try:
        values = decode(text, *[object] * size)
    except Refused:
        return
    assert all(isinstance(value, str | int | datetime | Timestamp | None) for value in values)


def test_a_list_that_was_made_whole_is_told_in_pieces() -> None:
    """Everything once; a place before its beginning is none."""

    def told(cursor: str | None) -> dict[str, Any]:
        return piece("abcde", {"limit": 3, "cursor": cursor})

    first = told(None)
    assert (first["items"], told(first["next"])) == ("abc", {"items": "de", "next": None})
    assert told(encode([2**40])) == {"items": "", "next": None}
    with pytest.raises(Refused, match="invalid"):
        told(encode([-1]))
