"""Nomination, seats, the waiting list, and the steps of batches and participants."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.problems import Refused
from services.enrollment.domain import batches, participants
from services.enrollment.domain.batches import BatchState, BatchStep
from services.enrollment.domain.participants import STATES, Participant, ParticipantState, Seats
from tests.unit.enrollment.people import batch, participant, person, step, t

UNITS = ("A", "B", "C")


@given(
    st.integers(1, 6),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from(UNITS), st.booleans()), max_size=40),
)
@settings(max_examples=200)
def test_seats_are_never_exceeded_and_never_left_empty(
    seats: int, per_unit: int, story: list[tuple[str, bool]]
) -> None:
    """Acceptances and withdrawals in any order: the accepted fit, and nobody waits who could have a seat."""
    one = batch(seats=seats, seats_per_unit=per_unit)
    people: dict[str, Participant] = {}
    for number, (where, withdraws) in enumerate(story):
        taken = [each for each in people.values() if each.state == "accepted"]
        if withdraws and taken:
            people[taken[0].id] = participants.stepped(taken[0], step("withdrawn"))
            moved = participants.next_in_line(one, seated(people), waiting(people))
            if moved:
                people[moved.id] = participants.promote(moved, t(2016, 3), t(2016, 3), "system:enrollment")
        else:
            new = participant(str(number), where, nominated_at=t(2016, 2, 1 + number % 20))
            people[new.id] = participants.accept(new, one, seated(people), step("accepted"))
        by_unit = Counter(each.unit for each in people.values() if each.state == "accepted")
        assert sum(by_unit.values()) <= seats
        assert max(by_unit.values(), default=0) <= per_unit
        assert participants.next_in_line(one, seated(people), waiting(people)) is None


def seated(people: dict[str, Participant]) -> Seats:
    """The seats that are taken."""
    return Seats.of(each.unit for each in people.values() if each.state == "accepted")


def waiting(people: dict[str, Participant]) -> list[Participant]:
    """Those who wait."""
    return [each for each in people.values() if each.state == "waitlisted"]


def test_the_line_is_by_time_of_nomination_then_of_recording() -> None:
    """Not by who was accepted first."""
    line = [
        participant("late", nominated_at=t(2016, 3)),
        participant("second", recorded_at=t(2016, 6)),
        participant("first", recorded_at=t(2016, 5)),
    ]
    assert [one.id for one in participants.in_line(line)] == ["first", "second", "late"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("to", [*participants.RULES, "nominated"])
def test_every_step_from_every_state(state: ParticipantState, to: ParticipantState) -> None:
    """Allowed exactly where the rules say so, and in no batch that is over."""
    allowed = {
        ("nominated", "accepted"),
        ("nominated", "declined"),
        ("nominated", "withdrawn"),
        ("waitlisted", "withdrawn"),
        ("accepted", "withdrawn"),
        ("accepted", "attended"),
        ("accepted", "absent"),
        ("attended", "certified"),
        ("attended", "not_certified"),
    }
    running = to in ("attended", "absent", "certified", "not_certified")
    one = participant(state=state)
    for whole, fits in ((batch(state="running" if running else "open"), True), (batch(state="cancelled"), False)):
        if (state, to) in allowed and fits:
            participants.check_step(one, whole, step(to, at=t(2016, 4)))
        else:
            with pytest.raises(Refused, match="transition"):
                participants.check_step(one, whole, step(to, at=t(2016, 4)))


@pytest.mark.parametrize("state", batches.NEXT)
@pytest.mark.parametrize("to", batches.NEXT)
def test_every_step_of_a_batch(state: BatchState, to: BatchState) -> None:
    """draft, open, closed, running, finished; cancelled from any but finished."""
    line = ["draft", "open", "closed", "running", "finished"]
    follows = state in line and to in line and line.index(to) == line.index(state) + 1
    allowed = follows or (to == "cancelled" and state not in ("finished", "cancelled"))
    asked = BatchStep(state=to, at=t(2016, 4), recorded_at=t(2016, 4), by="other")
    if allowed:
        assert batches.moved(batch(state=state), to, asked, undecided=0).state == to
    else:
        with pytest.raises(Refused, match="transition"):
            batches.moved(batch(state=state), to, asked, undecided=0)


def test_ones_own_last_step_may_be_repeated() -> None:
    """Until another person does something; what the system did doesn't count."""
    one = participants.stepped(participant(), step("accepted"))
    assert participants.repeats(one, step("accepted"))
    assert not participants.repeats(one, step("accepted", by="other"))
    assert not participants.repeats(one, step("withdrawn"))
    swept = participants.by_system(one, "declined", t(2016, 3), t(2016, 3), "system:enrollment")
    assert participants.repeats(swept, step("accepted"))
    gone = participants.stepped(one, step("withdrawn", by="other"))
    assert not participants.repeats(gone, step("accepted"))
    assert not participants.repeats(participant(), step("nominated"))


def test_what_the_system_does_takes_effect_with_its_cause_but_never_before_the_last_step() -> None:
    """A start dated before somebody's nomination declines them at their nomination."""
    one = participant()
    assert participants.by_system(one, "declined", t(2015), t(2016, 9), "s").history[-1].at == t(2016, 2)
    assert participants.by_system(one, "declined", t(2017), t(2017), "s").history[-1].at == t(2017)


@pytest.mark.parametrize(
    ("echelons", "kinds", "placed", "fits"),
    [
        ((), (), {}, True),
        (("IV.a",), (), {"echelon": "IV.a"}, True),
        (("IV",), (), {"echelon": "IV.b"}, True),
        (("IV",), (), {"echelon": "V.a"}, False),
        (("I",), (), {"echelon": "II.a"}, False),
        (("IV",), (), {}, False),
        (("IV",), ("functional",), {"position_kind": "functional"}, True),
        ((), ("functional",), {"position_kind": "operational"}, False),
    ],
)
def test_who_is_eligible(
    echelons: tuple[str, ...], kinds: tuple[str, ...], placed: dict[str, str], fits: bool
) -> None:
    """By echelon or by kind of position; everybody where the batch names none."""
    assert batch(echelons=echelons, position_kinds=kinds).takes(person("a", **placed).now) is fits


@given(st.tuples(*[st.dates(date(2016, 1, 1), date(2016, 1, 20))] * 4))
def test_batches_overlap_when_they_share_a_day(days: tuple[date, date, date, date]) -> None:
    """Either way round; the last day of one and the first of the next are different days or shared."""
    one = batch(starts_on=min(days[:2]), ends_on=max(days[:2]))
    other = batch(starts_on=min(days[2:]), ends_on=max(days[2:]))
    shared = max(one.starts_on, other.starts_on) <= min(one.ends_on, other.ends_on)
    assert one.overlaps(other) == other.overlaps(one) == shared


def test_out_of_a_batch_is_free_for_another() -> None:
    """Declined, withdrawn and absent people may be nominated elsewhere; nobody twice in the same."""
    other = batch(id="other")
    free_states: dict[ParticipantState, bool] = {
        "declined": True,
        "withdrawn": True,
        "absent": True,
        "attended": False,
    }
    for state, free in free_states.items():
        known = [(participant(state=state), batch())]
        if free:
            participants.check_nomination(other, person("a"), t(2016, 3), known)
        else:
            with pytest.raises(Refused, match="dates-overlap"):
                participants.check_nomination(other, person("a"), t(2016, 3), known)
    with pytest.raises(Refused, match="already-participant"):
        participants.check_nomination(batch(), person("a"), t(2016, 3), [(participant(), batch())])
    with pytest.raises(Refused, match="not-active"):
        participants.check_nomination(batch(), person("a"), t(2015), [])
