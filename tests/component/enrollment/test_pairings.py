"""Pairings from proposal to their end, and who may guide whom."""

from typing import Any

import msgspec
import pytest

from infra.messaging.envelope import Event
from infra.messaging.subscription import dispatch
from services.enrollment.commands.pairings import SILENCE, escalate
from services.enrollment.events import EndorsementSeen
from services.enrollment.reactions import subscriptions
from tests.component.enrollment.programme import Programme, TestClock

SKILL = "menyusun-surat-dinas"


@pytest.fixture(autouse=True)
def city(programme: Programme) -> None:
    """Every test starts with the small city and one technique."""
    programme.city()
    programme.competency()


@pytest.fixture
def pair(programme: Programme) -> tuple[str, str]:
    """A supervisor and a direct report: allowed to guide without further ado."""
    boss = programme.nip()
    return programme.person(nip=boss), programme.person(boss=boss)


def levels(programme: Programme, person: str) -> dict[str, int]:
    """The levels in force of someone."""
    skills = programme.hr.get(f"/v1/employees/{person}").expect(200).body["skills"]
    return {skill["competency"]: skill["level"] for skill in skills}


def teach(programme: Programme, person: str, level: int) -> None:
    """HR declares a level, by a file of skills."""
    nip = programme.hr.get(f"/v1/employees/{person}").body["nip"]
    done = programme.take_in("skills", f"NIP;KOMPETENSI;TINGKAT\n{nip};{SKILL};{level}\n")
    assert done["counts"]["updated"] == 1, done


def test_with_both_consents_a_pairing_is_active(programme: Programme, pair: tuple[str, str]) -> None:
    """Each side says so itself; a repeated consent changes nothing."""
    guide, learner = pair
    one = programme.propose(guide, learner, goal="Surat dinas tanpa salah")
    first = programme.move("pairings", one, "accepted", by=programme.by(guide)).body
    assert (first["state"], first["guide_accepted"], first["learner_accepted"]) == ("proposed", True, False)
    again = programme.move("pairings", one, "accepted", by=programme.by(guide)).body
    assert again == first
    active = programme.move("pairings", one, "accepted", by=programme.by(learner)).body
    assert (active["state"], active["active_at"]) == ("active", active["effective_at"])
    assert programme.move("pairings", one, "accepted", by=programme.by(guide)).body["version"] == active["version"]


def test_only_hr_learns_why_a_pairing_ended(programme: Programme, pair: tuple[str, str]) -> None:
    """So either side can ask for another partner without giving offence."""
    guide, learner = pair
    one = programme.propose(guide, learner)
    programme.move("pairings", one, "active")
    programme.move("pairings", one, "ended", by=programme.by(learner), reason="Kurang cocok")
    for client, reason in (
        (programme.hr, "Kurang cocok"),
        (programme.by(guide), None),
        (programme.by(learner), None),
    ):
        assert client.get(f"/v1/pairings/{one}").body["reason"] == reason
        notes = [entry["note"] for entry in client.get(f"/v1/pairings/{one}/activity").body["items"]]
        assert notes[-1] == reason


def test_a_proposal_can_be_declined(programme: Programme, pair: tuple[str, str]) -> None:
    """Which ends it; later consents are refused."""
    one = programme.propose(*pair)
    assert programme.move("pairings", one, "declined", by=programme.by(pair[1])).body["state"] == "ended"
    assert (
        programme.try_move("pairings", one, "accepted", by=programme.by(pair[0])).expect(409).body["rule"]
        == "transition"
    )


def test_a_proposal_refuses_only_self_guidance_and_the_wrong_aspect(programme: Programme) -> None:
    """Everything else may still change before it becomes active."""
    one, two = programme.person(), programme.person("DINKES")
    assert programme.try_propose(one, one).expect(409).body["rule"] == "self-guidance"
    assert programme.try_propose(one, two, kind="coaching").expect(409).body["rule"] == "aspect"
    stranger = "99999999-9999-4999-8999-999999999999"
    assert programme.try_propose(stranger, two).expect(409).body["rule"] == "employee-unknown"
    assert programme.try_propose(one, two, competency="x").expect(409).body["rule"] == "competency-unknown"
    pairing = programme.propose(one, two)
    assert programme.try_move("pairings", pairing, "active").expect(409).body["rule"] == "guide-not-allowed"


def test_a_representative_guides_in_the_own_unit_and_below(programme: Programme) -> None:
    """Not in another unit; and never a supervisor of theirs."""
    boss = programme.nip()
    chief = programme.person(nip=boss)
    guide = programme.person(boss=boss)
    programme.certified(guide)
    below, elsewhere = programme.person("DISDIK-1"), programme.person("DINKES")
    programme.move("pairings", programme.propose(guide, below), "active")
    for learner in (elsewhere, chief):
        one = programme.propose(guide, learner)
        assert programme.try_move("pairings", one, "active").expect(409).body["rule"] == "guide-not-allowed"


def test_a_supervisor_guides_indirect_reports_anywhere(programme: Programme) -> None:
    """The chain of supervisors counts, not the unit."""
    top, middle = programme.nip(), programme.nip()
    chief = programme.person(nip=top)
    programme.person(nip=middle, boss=top)
    learner = programme.person("DINKES", boss=middle)
    programme.move("pairings", programme.propose(chief, learner), "active")


def test_one_who_mastered_guides_once_approved(programme: Programme) -> None:
    """Mastery alone doesn't do, nor approval without mastery."""
    guide, learner = programme.person(), programme.person("DISDIK-1")
    path = f"/v1/employees/{guide}/guide-approvals"
    assert programme.hr.post(path, {"competency": SKILL}).expect(409).body["rule"] == "not-mastered"
    teach(programme, guide, 3)
    one = programme.propose(guide, learner)
    assert programme.try_move("pairings", one, "active").expect(409).body["rule"] == "guide-not-allowed"
    made = programme.hr.post(path, {"competency": SKILL}).expect(201)
    assert programme.hr.get(made.headers["Location"]).body == made.body
    programme.move("pairings", one, "active")
    shown = programme.hr.get(f"/v1/employees/{guide}").body
    assert shown["may_guide"] == [{"ground": "approved", "competency": SKILL}]
    able = programme.hr.get("/v1/employees", params={"may_guide": "true"}).body["items"]
    assert [person["id"] for person in able] == [guide]


def test_who_may_guide_is_judged_at_the_effective_time(programme: Programme, clock: TestClock) -> None:
    """A certificate of today doesn't allow an activation dated last week."""
    guide, learner = (programme.person(effective_at="2026-01-01T00:00:00Z") for _ in range(2))
    programme.certified(guide)
    one = programme.propose(guide, learner, effective_at="2026-11-01T00:00:00Z")
    early = programme.try_move("pairings", one, "active", effective_at="2026-11-10T00:00:00Z")
    assert early.expect(409).body["rule"] == "guide-not-allowed"
    programme.move("pairings", one, "active")


def test_nobody_is_paired_before_they_were_there(programme: Programme, pair: tuple[str, str]) -> None:
    """Activation in the past needs people who were in service then."""
    one = programme.propose(*pair, effective_at="2020-01-01T00:00:00Z")
    refused = programme.try_move("pairings", one, "active", effective_at="2020-02-01T00:00:00Z")
    assert refused.expect(409).body["rule"] == "not-active"


def test_consent_bears_a_clock_that_is_behind(
    programme: Programme, clock: TestClock, pair: tuple[str, str]
) -> None:
    """Proposed by one machine and answered at another, whose clock is not as far: nobody is refused for that."""
    one = programme.propose(*pair)
    for side in reversed(pair):
        clock.forward(seconds=-2)
        body = {"to": "accepted"}
        state = programme.by(side).post(f"/v1/pairings/{one}/transitions", body).expect(200).body["state"]
    assert state == "active"


def test_capacity_and_duplicates(programme: Programme) -> None:
    """Five for a guide, two for a learner, the same once at a time."""
    boss = programme.nip()
    guide = programme.person(nip=boss)
    learners = [programme.person(boss=boss) for _ in range(6)]
    for learner in learners[:5]:
        programme.move("pairings", programme.propose(guide, learner), "active")
    twin = programme.propose(guide, learners[0])
    assert programme.try_move("pairings", twin, "active").expect(409).body["rule"] == "pairing-duplicate"
    sixth = programme.propose(guide, learners[5])
    assert programme.try_move("pairings", sixth, "active").expect(409).body["rule"] == "guide-full"
    others = [programme.competency(f"teknik-{number}") for number in range(2)]
    for number, code in enumerate(others):
        helper = programme.person()
        programme.certified(helper, starts_on=f"2026-12-{10 + number}", ends_on=f"2026-12-{10 + number}")
        one = programme.propose(helper, learners[0], competency=code)
        answer = programme.try_move("pairings", one, "active")
        assert answer.body.get("rule") == ("learner-full" if number else None)


def test_silence_of_seven_days_goes_to_hr(programme: Programme, clock: TestClock, pair: tuple[str, str]) -> None:
    """The proposal is overdue then, and HR may activate it."""
    one = programme.propose(*pair)
    timers = programme.context.store.timers.collection
    assert timers.count_documents({"kind": SILENCE, "key": one}) == 1
    clock.forward(days=7)
    escalate(programme.context, one)
    escalate(programme.context, one)
    body = programme.hr.get(f"/v1/pairings/{one}").body
    assert (body["state"], body["overdue"], body["version"]) == ("proposed", True, 2)
    listed = programme.hr.get("/v1/pairings", params={"overdue": "true"}).body["items"]
    assert [item["id"] for item in listed] == [one]
    programme.move("pairings", one, "active")
    assert timers.count_documents({}) == 0


def test_an_active_pairing_is_overdue_after_its_date(
    programme: Programme, clock: TestClock, pair: tuple[str, str]
) -> None:
    """By the calendar of Jakarta."""
    one = programme.propose(*pair, due_on="2026-11-24")
    programme.move("pairings", one, "active")
    assert programme.hr.get("/v1/pairings", params={"overdue": "true"}).body["items"] == []
    clock.forward(hours=15.5)
    assert programme.hr.get(f"/v1/pairings/{one}").body["overdue"] is True


def endorsed(programme: Programme, pairing: str, learner: str, **more: Any) -> None:
    """What the worker does when an endorsement arrives."""
    now = programme.context.clock()
    seen = EndorsementSeen(
        pairing_id=pairing,
        learner_id=learner,
        competency=SKILL,
        level=more.pop("level", 3),
        state=more.pop("state", "endorsed"),
        assessed_at=more.pop("at", now),
        decided_at=now,
    )
    event = Event(
        id="e",
        source="sessions",
        type=f"endorsement.{seen.state}",
        version=2,
        subject="44444444-4444-4444-8444-444444444444",
        seq=2,
        time=now,
        effective_at=now,
        key=learner,
        body=msgspec.json.encode(seen),
    )
    dispatch(subscriptions(programme.context))([event])


def test_an_endorsed_mastery_completes_the_pairing(programme: Programme, pair: tuple[str, str]) -> None:
    """The learner has the level from the session on, once, and the unit's gap closes."""
    guide, learner = pair
    programme.hr.put(f"/v1/units/DISDIK/needs/{SKILL}", {"people": 1, "level": 3}).expect(201)
    assert programme.hr.get("/v1/gaps").body["items"][0]["missing"] == 1
    one = programme.propose(guide, learner)
    programme.move("pairings", one, "active")
    endorsed(programme, one, learner, state="declined")
    assert levels(programme, learner) == {}
    endorsed(programme, one, learner)
    endorsed(programme, one, learner)
    body = programme.hr.get(f"/v1/employees/{learner}").body
    assert [(skill["level"], skill["source"]) for skill in body["skills"]] == [(3, "mastery")]
    assert body["version"] == 2
    assert programme.hr.get(f"/v1/pairings/{one}").body["state"] == "completed"
    assert programme.hr.get("/v1/gaps").body["items"] == []
    assert programme.try_move("pairings", one, "ended").expect(409).body["rule"] == "transition"


def test_a_mastery_never_lowers_a_level(programme: Programme, pair: tuple[str, str]) -> None:
    """Somebody who can teach it stays so."""
    teach(programme, pair[1], 4)
    endorsed(programme, "55555555-5555-4555-8555-555555555555", pair[1])
    assert levels(programme, pair[1]) == {SKILL: 4}
