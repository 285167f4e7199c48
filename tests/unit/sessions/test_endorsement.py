from datetime import datetime, timedelta
from uuid import UUID

import pytest
from msgspec import structs

from infra.actor import Actor
from infra.problems import Refused
from services.sessions.domain.endorsement import (
    Endorsement,
    candidate,
    decided,
    endorser,
    handed_on,
    holds,
    opened,
    repeats,
    target_of,
    withdrawn,
)
from services.sessions.domain.session import Session, step
from tests.unit.sessions.makers import (
    GUIDE,
    HR,
    LEARNER,
    NOW,
    OTHER,
    THE_GUIDE,
    THE_LEARNER,
    employee,
    pairing,
    session,
)

BOSS = "77777777-7777-4777-8777-777777777777"
BIG_BOSS = "88888888-8888-4888-8888-888888888888"
LATER = NOW + timedelta(days=1)


def confirmed(level: int | None = 3, number: int = 1, at: datetime = NOW) -> Session:
    one = session(str(UUID(int=number)), assessed_level=level)
    return step(one, "confirmed", THE_LEARNER, at, None, None)


def request(one: Session, endorser_id: str | None = BOSS) -> Endorsement:
    return opened("e", one, 3, endorser_id, NOW)


def test_the_nearest_supervisor_in_service_who_is_not_the_guide_is_asked() -> None:
    chain = [employee(BOSS, BIG_BOSS), employee(BIG_BOSS, None)]
    assert endorser(chain, GUIDE, NOW) == BOSS
    assert endorser(chain, BOSS, NOW) == BIG_BOSS
    assert endorser([employee(BOSS, BIG_BOSS, active=False), employee(BIG_BOSS, None)], GUIDE, NOW) == BIG_BOSS
    assert endorser([employee(GUIDE, None)], GUIDE, NOW) is None
    assert endorser([], GUIDE, NOW) is None


def test_the_target_level_or_more_asks_less_does_not() -> None:
    asks = confirmed(4)
    assert candidate(3, [asks], []) is asks
    assert candidate(3, [confirmed(2), confirmed(None)], []) is None


def test_one_question_at_a_time_and_none_after_a_yes() -> None:
    one = confirmed()
    assert candidate(3, [one], [request(one)]) is None
    yes = decided(request(one), "endorsed", Actor(BOSS), None, LATER)
    assert candidate(3, [confirmed(number=2)], [yes]) is None


def test_after_a_no_only_a_later_confirmation_asks_again() -> None:
    one, two = confirmed(), confirmed(number=2)
    no = decided(request(one), "declined", Actor(BOSS), "belum", LATER)
    assert candidate(3, [one, two], [no]) is None
    again = confirmed(number=3, at=LATER + timedelta(hours=1))
    assert candidate(3, [one, two, again], [no]) is again


def test_another_confirmed_session_takes_the_place_of_a_question_taken_back() -> None:
    one, two = confirmed(), confirmed(number=2)
    assert candidate(3, [two], [withdrawn(request(one), LATER)]) is two


def test_a_question_stands_on_the_session_as_it_was_confirmed() -> None:
    one = confirmed()
    assert holds(request(one), one)
    assert not holds(request(one), structs.replace(one, status="held"))
    assert not holds(request(one), structs.replace(one, assessed_level=4))


def test_the_one_who_was_asked_or_hr_decides() -> None:
    for actor in (Actor(BOSS), HR):
        answer = decided(request(confirmed()), "endorsed", actor, None, LATER)
        assert (answer.state, answer.decided_at, answer.decided_by) == ("endorsed", LATER, actor.sub)
        assert repeats(answer, "endorsed", actor.sub)
        assert not repeats(answer, "declined", actor.sub)


@pytest.mark.parametrize(
    "actor",
    [
        THE_GUIDE,
        THE_LEARNER,
        Actor(OTHER),
        Actor(GUIDE, frozenset({"hr"})),
        Actor(LEARNER, frozenset({"hr"})),
    ],
)
def test_nobody_else_decides_and_never_the_two_themselves(actor: Actor) -> None:
    with pytest.raises(Refused) as caught:
        decided(request(confirmed()), "endorsed", actor, None, LATER)
    assert caught.value.status == 403


def test_an_answer_is_final() -> None:
    no = decided(request(confirmed()), "declined", Actor(BOSS), None, LATER)
    with pytest.raises(Refused, match="transition"):
        decided(no, "endorsed", HR, None, LATER)


def test_a_question_that_moves_to_the_new_supervisor_is_gone_for_the_old_one() -> None:
    moved = handed_on(request(confirmed()), BIG_BOSS)
    assert moved.viewers() == {LEARNER, GUIDE, BIG_BOSS}
    assert moved.former_endorsers == (BOSS,)
    assert handed_on(handed_on(moved, None), BOSS).former_endorsers == (BOSS, BIG_BOSS)


def test_a_completed_pairing_has_no_target_any_more() -> None:
    assert target_of(pairing()) == 3
    assert target_of(pairing(("completed", NOW))) is None
    assert target_of(None) is None
