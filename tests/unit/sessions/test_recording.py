"""How a phone's new sessions are parted into inserts."""

from hypothesis import given
from hypothesis import strategies as st

from services.sessions.commands.recording import MOST_KEYS, first_of, in_shares
from services.sessions.domain.slots import slots_of
from tests.unit.sessions.makers import THE_GUIDE, session


@given(st.lists(st.integers(5, 480), max_size=60))
def test_an_insert_has_few_slots_and_none_is_lost(lengths: list[int]) -> None:
    sessions = [session(minutes=minutes) for minutes in lengths]
    items = [first_of(one, THE_GUIDE, slots_of(one)) for one in sessions]
    shares = list(in_shares(items))
    assert [item for share in shares for item in share] == items
    wanted = [sum(len(slots_of(item[0])) for item in share) for share in shares]
    assert all(0 < keys <= MOST_KEYS for keys in wanted)
    firsts = [len(slots_of(share[0][0])) for share in shares[1:]]
    assert all(keys + first > MOST_KEYS for keys, first in zip(wanted, firsts, strict=False)), "none too short"


def test_a_hundred_sessions_of_45_minutes_are_one_insert() -> None:
    items = [first_of(one, THE_GUIDE, slots_of(one)) for one in [session(minutes=45)] * 100]
    assert len(list(in_shares(items))) == 1
