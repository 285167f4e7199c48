from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from infra.problems import Refused
from services.sessions.domain.session import (
    STEPS,
    Feedback,
    Session,
    Status,
    check_request,
    happening,
    record,
    repeats,
    rewrite,
    step,
)
from tests.unit.sessions.makers import (
    GUIDE,
    HR,
    LEARNER,
    NOW,
    OTHER,
    SESSION_ID,
    START,
    THE_GUIDE,
    THE_LEARNER,
    content,
    pairing,
    session,
)

LATER = NOW + timedelta(hours=1)


def refusal_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Refused) as caught:
        function(*args, **kwargs)
    return caught.value.rule


def confirmed(**changes: Any) -> Session:
    return step(session(**changes), "confirmed", THE_LEARNER, NOW, None, Feedback(rating=4))


def disputed() -> Session:
    return step(session(), "disputed", THE_LEARNER, NOW, "jamnya keliru", None)


def edited(before: Session, *, endorsed: bool = False, **changes: Any) -> Session:
    written = structs.replace(before.content, **changes)
    return rewrite(before, written, pairing(), GUIDE, LATER, endorsed=endorsed)


def test_a_held_session_takes_its_people_and_subject_from_the_pairing() -> None:
    one = session()
    assert (one.guide_id, one.learner_id, one.kind) == (GUIDE, LEARNER, "mentoring")
    assert one.competency == "menyusun-surat-dinas"
    assert one.held_at == NOW == one.recorded_at


def test_only_the_guide_of_the_pairing_records_a_session() -> None:
    assert refusal_of(record, SESSION_ID, content(), pairing(), LEARNER, NOW) == "not-the-guide"


@pytest.mark.parametrize(("minutes", "refused"), [(5, False), (5.1, True)])
def test_what_was_held_may_start_five_minutes_ahead_of_our_clock_but_no_more(
    minutes: float, refused: bool
) -> None:
    written = content(started_at=NOW + timedelta(minutes=minutes))
    if refused:
        assert refusal_of(record, SESSION_ID, written, pairing(), GUIDE, NOW) == "session-in-future"
    else:
        assert record(SESSION_ID, written, pairing(), GUIDE, NOW).status == "held"


def test_a_planned_session_may_lie_in_the_future() -> None:
    planned = content(status="planned", started_at=NOW + timedelta(days=7))
    assert record(SESSION_ID, planned, pairing(), GUIDE, NOW).held_at is None


@pytest.mark.parametrize(
    "steps",
    [
        [("proposed", START - timedelta(days=3))],
        [("active", START + timedelta(seconds=1))],
        [("active", START - timedelta(days=9)), ("ended", START - timedelta(days=1))],
        [("active", START - timedelta(days=9)), ("completed", START)],
    ],
)
def test_the_pairing_must_have_been_active_at_the_start(steps: list[tuple[str, datetime]]) -> None:
    assert refusal_of(record, SESSION_ID, content(), pairing(*steps), GUIDE, NOW) == "pairing-not-active"


def test_a_pairing_that_ended_since_does_not_refuse_an_offline_session() -> None:
    since_ended = pairing(("active", START - timedelta(days=9)), ("ended", START + timedelta(minutes=30)))
    assert record(SESSION_ID, content(), since_ended, GUIDE, NOW).status == "held"


def test_equal_content_changes_nothing_in_any_state() -> None:
    for one in (session(), confirmed(), disputed(), step(session(), "cancelled", THE_GUIDE, NOW, None, None)):
        assert edited(one) is one


def test_held_never_goes_back_to_planned() -> None:
    assert refusal_of(edited, session(), status="planned") == "transition"


def test_planned_becomes_held_through_its_content() -> None:
    planned = session(status="planned")
    assert edited(planned, status="held").held_at == LATER
    assert happening(planned, edited(planned, status="held")) == "session.held"


@pytest.mark.parametrize(
    "change", [{"minutes": 61}, {"started_at": START + timedelta(minutes=1)}, {"assessed_level": 3}]
)
def test_time_minutes_and_level_of_a_confirmed_session_need_a_new_confirmation(change: dict[str, Any]) -> None:
    after = edited(confirmed(), **change)
    assert (after.status, after.confirmed_at, after.feedback) == ("held", None, None)


@pytest.mark.parametrize("change", [{"summary": "surat undangan"}, {"private_note": "x"}, {"place": "online"}])
def test_other_content_of_a_confirmed_session_leaves_it_confirmed(change: dict[str, Any]) -> None:
    before = confirmed()
    assert edited(before, **change).status == "confirmed"
    assert happening(before, edited(before, **change)) == "session.changed"


def test_changed_content_answers_a_dispute() -> None:
    after = edited(disputed(), summary="dibetulkan")
    assert (after.status, after.dispute_reason, after.ever_disputed) == ("held", None, True)


@pytest.mark.parametrize(
    "change", [{"minutes": 61}, {"started_at": START + timedelta(minutes=1)}, {"assessed_level": 4}]
)
def test_an_endorsed_level_fixes_time_minutes_and_level(change: dict[str, Any]) -> None:
    before = confirmed(assessed_level=3)
    assert refusal_of(edited, before, endorsed=True, **change) == "endorsed"
    assert edited(before, endorsed=True, summary="surat undangan").status == "confirmed"


def test_a_session_stays_with_its_pairing() -> None:
    assert refusal_of(edited, session(), pairing_id=OTHER) == "pairing-fixed"


def test_the_learner_and_strangers_write_nothing() -> None:
    written = structs.replace(session().content, minutes=30)
    for person in (LEARNER, OTHER):
        assert refusal_of(rewrite, session(), written, pairing(), person, LATER, endorsed=False) == "not-the-guide"


STATES: dict[Status, Callable[[], Session]] = {
    "planned": lambda: session(status="planned"),
    "held": session,
    "confirmed": confirmed,
    "disputed": disputed,
    "cancelled": lambda: step(session(), "cancelled", THE_GUIDE, NOW, None, None),
}
PEOPLE = {"guide": THE_GUIDE, "learner": THE_LEARNER, "hr": HR}


@pytest.mark.parametrize("to", STATES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("part", PEOPLE)
def test_each_step_belongs_to_those_that_the_table_names(state: Status, to: Status, part: str) -> None:
    before, allowed = STATES[state](), STEPS.get((state, to), ())
    if part in allowed:
        assert step(before, to, PEOPLE[part], LATER, "alasan", None).status == to
        return
    rule = refusal_of(step, before, to, PEOPLE[part], LATER, "alasan", None)
    if not allowed:
        assert rule == "transition"
    else:
        assert rule in {"not-the-learner", "not-the-guide", "forbidden"}


def test_a_repeat_is_recognised_only_from_the_same_person_and_while_it_stands() -> None:
    one = confirmed()
    assert repeats(one, "confirmed", LEARNER)
    assert not repeats(one, "confirmed", GUIDE)
    assert not repeats(edited(one, minutes=61), "confirmed", LEARNER)
    assert not repeats(session(), "held", GUIDE)


def test_hr_puts_a_disputed_session_back_to_its_learner() -> None:
    after = step(disputed(), "held", HR, LATER, None, None)
    assert (after.status, after.held_at, after.ever_disputed) == ("held", LATER, True)
    assert repeats(after, "held", HR.sub)


def test_a_dispute_needs_a_reason_and_feedback_a_confirmation() -> None:
    assert refusal_of(check_request, "disputed", "  ", None) == "invalid"
    assert refusal_of(check_request, "cancelled", None, Feedback(rating=1)) == "invalid"
    check_request("confirmed", None, Feedback(rating=1))
