from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.sessions.domain.session import Session
from services.sessions.domain.slots import clash, clashes, slots_of
from tests.unit.sessions.makers import GUIDE, LEARNER, OTHER, START, session

NOW = START + timedelta(days=2)


def at(seconds: int, minutes: int, number: int = 1, **people: str) -> Session:
    one = session(str(UUID(int=number)), now=NOW, started_at=START + timedelta(seconds=seconds), minutes=minutes)
    return structs.replace(one, **people)


@given(st.integers(0, 7200), st.integers(5, 480), st.integers(0, 7200), st.integers(5, 480), st.booleans())
def test_sessions_that_clash_always_share_a_slot(
    start: int, minutes: int, other_start: int, other_minutes: int, crossed: bool
) -> None:
    """The unique index alone must notice every clash, however the two lie to the raster."""
    one = at(start, minutes)
    roles = {"guide_id": LEARNER, "learner_id": OTHER} if crossed else {}
    other = at(other_start, other_minutes, 2, **roles)
    if clashes(one, other):
        assert set(slots_of(one)) & set(slots_of(other))


@given(st.integers(0, 7200), st.integers(5, 480), st.integers(0, 7200), st.integers(5, 480))
def test_a_clash_is_mutual_and_means_five_minutes(
    start: int, minutes: int, other_start: int, other_minutes: int
) -> None:
    one, other = at(start, minutes), at(other_start, other_minutes, 2)
    shared = min(start + minutes * 60, other_start + other_minutes * 60) - max(start, other_start)
    assert clashes(one, other) == clashes(other, one) == (shared >= 300)


def test_a_session_needs_few_slots() -> None:
    """Each is a key in the index: two a person for the usual 45 minutes, also when they run over by four."""
    needed = {minutes: len(slots_of(at(0, minutes))) for minutes in (5, 34, 35, 45, 64, 480)}
    assert needed == {5: 2, 34: 2, 35: 4, 45: 4, 64: 4, 480: 32}


def test_touching_ends_share_nothing() -> None:
    assert not set(slots_of(at(0, 60))) & set(slots_of(at(3600, 60, 2)))


def test_four_minutes_of_overlap_are_let_pass_though_they_share_a_slot() -> None:
    one, other = at(0, 60), at(56 * 60, 60, 2)
    assert set(slots_of(one)) & set(slots_of(other))
    assert not clashes(one, other)


def test_every_session_that_counts_holds_a_slot_for_both_people() -> None:
    for offset in range(0, 1800, 7):
        slots = slots_of(at(offset, 5))
        assert {slot[:16] for slot in slots} == {UUID(GUIDE).bytes, UUID(LEARNER).bytes}
        assert all(len(slot) == 20 for slot in slots)


def test_planned_and_cancelled_sessions_take_no_time() -> None:
    planned = session(status="planned")
    assert slots_of(planned) == []
    assert not clashes(planned, at(0, 60))
    assert not clashes(structs.replace(at(0, 60, 2), status="cancelled"), at(0, 60))


def test_others_sessions_and_the_session_itself_are_no_clash() -> None:
    strangers = at(0, 60, 2, guide_id=OTHER, learner_id=str(UUID(int=9)))
    assert clash(at(0, 60), [strangers, at(0, 60)]) is None
