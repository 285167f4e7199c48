"""Who may guide whom, and what becomes of pairings."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.problems import Refused
from services.enrollment.domain import guides, pairings
from services.enrollment.domain.competencies import Competency
from services.enrollment.domain.employees import Employee, Skill
from services.enrollment.domain.guides import Approval, Standing
from services.enrollment.domain.pairings import Limits, Pairing
from tests.unit.enrollment.people import TREE, pairing, pairing_step, person, t


def may(guide: Standing, learner: Employee, *others: Employee, competency: str = "c", year: int = 2020) -> bool:
    """Whether the one may guide the other at the beginning of a year."""
    people = {one.id: one for one in (guide.employee, learner, *others)}
    return guides.may_guide(guide, learner, competency, t(year), tree=TREE, people=people)


def test_a_representative_guides_below() -> None:
    """From the day of the certificate on, and only in the own unit and below."""
    guide = Standing(employee=person("g"), certified_at=(t(2018),))
    assert may(guide, person("l", "DISDIK-1"))
    assert not may(guide, person("l", "KEC"))
    assert not may(guide, person("l", "DISDIK-1"), year=2017)
    assert not may(guide, guide.employee)


def test_a_supervisor_guides_all_reports() -> None:
    """Direct and indirect, in whatever unit; the reports don't guide them."""
    top, middle, low = person("t"), person("m", boss="t"), person("l", "KEC", boss="m")
    assert may(Standing(employee=top), low, middle)
    assert not may(Standing(employee=low, certified_at=(t(2018),)), top, middle)
    assert not may(Standing(employee=person("x", "KEC")), low, middle, top)


def test_mastery_and_approval_go_together() -> None:
    """Either alone is not enough, and each counts from its own day."""
    skill = Skill(competency="c", level=3, since=t(2018), source="import")
    approval = Approval(id="a", employee_id="g", competency="c", at=t(2019))
    master = Employee(id="g", nip="g", name="g", history=person("g").history, skills=(skill,))
    learner = person("l", "DISDIK-1")
    assert may(Standing(employee=master, approvals=(approval,)), learner)
    assert not may(Standing(employee=master, approvals=(approval,)), learner, year=2018)
    assert not may(Standing(employee=master), learner)
    assert not may(Standing(employee=person("g"), approvals=(approval,)), learner)
    assert not may(Standing(employee=master, approvals=(approval,)), learner, competency="d")


def test_who_was_not_there_yet_guides_nobody() -> None:
    """Nor is guided."""
    guide = Standing(employee=person("g", since=t(2021)), certified_at=(t(2018),))
    assert not may(guide, person("l"))
    assert guides.grounds(guide, has_reports=True, at=t(2020)) == []


def test_a_circle_of_supervisors_in_old_records_ends() -> None:
    """Reading doesn't hang on what no rule would let in today."""
    one, two = person("a", boss="b"), person("b", boss="a")
    assert list(guides.supervisors(one, {"a": one, "b": two}, t(2020))) == ["b"]


@given(st.lists(st.tuples(st.sampled_from("gh"), st.sampled_from("lm"), st.sampled_from("cdef")), max_size=40))
def test_capacity_holds_whatever_is_activated(wanted: list[tuple[str, str, str]]) -> None:
    """At most so many for each side, and the same three only once."""
    limits = Limits(guide=3, learner=2)
    active: list[Pairing] = []
    for number, (guide, learner, competency) in enumerate(wanted):
        one = pairing(str(number), guide, learner, competency)
        try:
            pairings.check_capacity(one, active, limits)
        except Refused:
            continue
        active.append(one)
    for side, most in (("guide_id", 3), ("learner_id", 2)):
        for who in "ghlm":
            assert sum(getattr(one, side) == who for one in active) <= most
    keys = [(one.guide_id, one.learner_id, one.competency) for one in active]
    assert len(set(keys)) == len(keys)


def test_coaching_is_for_attitudes() -> None:
    """And mentoring for techniques; nobody guides themselves."""
    attitude = Competency(id="c", name="c", aspect="attitude")
    pairings.check_proposal("coaching", "g", "l", attitude)
    with pytest.raises(Refused, match="aspect"):
        pairings.check_proposal("mentoring", "g", "l", attitude)
    with pytest.raises(Refused, match="self-guidance"):
        pairings.check_proposal("coaching", "g", "g", attitude)


def test_both_consents_then_activation_is_one_step() -> None:
    """The consent that completes the two is the step that activates."""
    one = pairings.consented(pairing(), pairing_step("accepted", "g"))
    assert (one.guide_accepted, one.learner_accepted, one.state) == (True, False, "proposed")
    last = pairing_step("accepted", "l", t(2016, 3))
    active = pairings.activated(pairings.consented(one, last), last)
    assert [step.to for step in active.history] == ["proposed", "accepted", "accepted"]
    assert (active.state, active.active_at, active.history[-1].state) == ("active", t(2016, 3), "active")


def test_steps_are_dated_in_order() -> None:
    """No consent before the proposal, no activation before a consent."""
    for act in (pairings.consented, pairings.activated):
        with pytest.raises(Refused, match="effective-order"):
            act(pairing(), pairing_step("accepted", "g", t(2015)))


def test_what_is_over_stays_so() -> None:
    """Ended and completed pairings take no step; completing an ended one does nothing."""
    over = pairings.ended(pairing(), pairing_step("declined", "l"), None)
    for act in (pairings.consented, pairings.activated):
        with pytest.raises(Refused, match="transition"):
            act(over, pairing_step("accepted", "g"))
    with pytest.raises(Refused, match="transition"):
        pairings.ended(over, pairing_step("ended"), None)
    assert pairings.completed(over, t(2017), t(2017), "s") is over
    active = pairings.activated(pairing(), pairing_step("active"))
    with pytest.raises(Refused, match="transition"):
        pairings.ended(active, pairing_step("declined", "l"), None)
    assert pairings.completed(active, t(2015), t(2017), "s").ended_at == t(2016, 2)


def test_a_repeat_is_known_by_its_actor() -> None:
    """A consent may be repeated as long as it stands."""
    one = pairings.consented(pairing(), pairing_step("accepted", "g"))
    assert pairings.repeats(one, pairing_step("accepted", "g"))
    assert not pairings.repeats(one, pairing_step("accepted", "l"))
    over = pairings.ended(one, pairing_step("ended"), None)
    assert not pairings.repeats(over, pairing_step("accepted", "g"))
    assert pairings.repeats(over, pairing_step("ended"))


def test_overdue() -> None:
    """After the due date while active, or after silence while proposed."""
    one = pairing(due_on=date(2016, 12, 31))
    active = pairings.activated(one, pairing_step("active"))
    assert [active.is_overdue(date(2016, 12, 31)), active.is_overdue(date(2017, 1, 1))] == [False, True]
    assert [one.is_overdue(date(2030, 1, 1)), pairings.escalated(one).is_overdue(date(2016, 1, 1))] == [
        False,
        True,
    ]
    assert pairings.escalated(active) is active
