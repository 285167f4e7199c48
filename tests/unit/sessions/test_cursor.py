from typing import Any

import pytest
from bson import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from infra.problems import Refused
from infra.storage.paging import encode
from services.sessions.commands import changes
from services.sessions.commands.changes import START as BEGINNING
from services.sessions.commands.changes import Cursor, Place

stamps = st.integers(1, 30)


@given(st.lists(st.tuples(stamps, st.integers(0, 12)), min_size=1, max_size=15), st.integers(1, 4), stamps)
def test_no_change_is_missed_whatever_the_delay_and_the_page(
    writes: list[tuple[int, int]], size: int, pause: int
) -> None:
    """Each write is stamped at one second and visible some seconds later, at most WINDOW; readers page through."""
    writes = [(stamp, min(stamp + delay, stamp + changes.WINDOW)) for stamp, delay in writes]
    told: set[int] = set()
    cursor = Cursor(BEGINNING, BEGINNING)
    clock = 0
    for _ in range(150):
        clock += pause % 7
        seen = sorted(
            (Place(Timestamp(stamp, 1), "session", str(number)), number)
            for number, (stamp, visible) in enumerate(writes)
            if visible <= clock
        )
        page = [entry for entry in seen if entry[0] > cursor.place]
        more, page = len(page) > size, page[:size]
        told |= {number for _, number in page}
        last = page[-1][0] if page else cursor.place
        horizon = Place(Timestamp(max(clock - changes.WINDOW, 0), 0), "", "")
        cursor = Cursor.read(cursor.after(last, horizon, more=more).write())
        clock += 1
    assert told == set(range(len(writes)))


@pytest.mark.parametrize("values", [[1], [1, "", "", 1, "", ""], ["", "", "", "", "", ""], [None] * 6])
def test_a_cursor_of_something_else_is_refused(values: list[Any]) -> None:
    with pytest.raises(Refused) as caught:
        Cursor.read(encode(values))
    assert caught.value.errors[0].pointer == "/cursor"
