"""Which event tells what to whom."""

from datetime import timedelta

import msgspec
import pytest

from services.notifications import rules
from services.notifications.domain import KINDS, Entry, Kind
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import ENDORSER, GUIDE, LEARNER, NOW, Happening


def entries(happening: Happening) -> list[Entry]:
    return rules.decide(*happening).entries


@pytest.mark.parametrize(
    ("happening", "expected"),
    [
        (told.participant("participant.accepted", "accepted"), {("accepted", LEARNER)}),
        (told.participant("participant.accepted", "accepted", promoted=True), {("moved_up", LEARNER)}),
        (told.participant("participant.certified", "certified"), {("certified", LEARNER)}),
        (told.participant("participant.waitlisted", "waitlisted"), set()),
        (told.participant("participant.withdrawn", "withdrawn"), set()),
        (told.pairing(), {("pairing_active", GUIDE), ("pairing_active", LEARNER)}),
        (told.pairing("pairing.proposed", "proposed"), set()),
        (told.session(), {("please_confirm", LEARNER)}),
        (told.session("session.changed"), set()),
        (told.session("session.confirmed", "confirmed"), set()),
        (told.endorsement(), {("please_endorse", ENDORSER)}),
        (told.endorsement("endorsement.endorsed", "endorsed"), {("mastered", LEARNER)}),
        (told.endorsement("endorsement.declined", "declined"), set()),
    ],
)
def test_an_event_tells_just_those_concerned(happening: Happening, expected: set[tuple[str, str]]) -> None:
    """Nobody else hears of it, and no other event says it."""
    assert {(entry.kind, entry.employee_id) for entry in entries(happening)} == expected


def test_the_same_event_gives_the_same_ids_for_ever() -> None:
    """Ids are written down here: another derivation would tell everybody everything once more."""
    entry = entries(told.session())[0]
    assert entry.id == "578efa3b-1eac-57cf-abfa-018a2320b98d"
    assert rules.mail_of(entry, None).id == "c8d35f07-97af-588c-aa24-7f0950d9f024"
    assert entries(told.session()) == [entry]


def test_a_session_that_is_held_again_asks_again() -> None:
    """Each time it is held is an occasion of its own, however often the event comes."""
    first, again = told.session(), told.session(seq=3, held_at=NOW + timedelta(hours=1))
    repeated = told.session(seq=5, held_at=NOW + timedelta(hours=1))
    ids = [entries(happening)[0].id for happening in (first, again, repeated)]
    assert ids[0] != ids[1] == ids[2]


def test_without_an_endorser_it_is_hrs_and_nobody_is_written_to() -> None:
    """HR finds it in its list of endorsements; that the rule found nobody is counted."""
    decided = rules.decide(*told.endorsement(endorser=None))
    assert decided == rules.Decided([], ["please-endorse"])


def test_what_was_recorded_before_a_rule_began_is_passed_over() -> None:
    """A new rule must not stir up old stories."""
    before = rules.FIRST_DAY - timedelta(milliseconds=1)
    assert entries(told.session(time=before)) == []
    assert len(entries(told.session(time=rules.FIRST_DAY))) == 1


def test_every_kind_has_a_rule() -> None:
    """And every rule a name of its own, for ids are derived from it."""
    assert {rule.kind for rule in rules.RULES} == set(KINDS)
    names = [rule.name for rule in rules.RULES] + [rules.GUIDE_MASTERED]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "state", "occasion", "expected"),
    [
        ("please_confirm", "held", "1", True),
        ("please_confirm", "held", "2", False),
        ("please_confirm", "confirmed", "1", False),
        ("please_confirm", "cancelled", "1", False),
        ("please_endorse", "open", "1", True),
        ("please_endorse", "open", "2", False),
        ("please_endorse", "withdrawn", "1", False),
        ("accepted", "attended", "1", True),
        ("accepted", "withdrawn", "1", False),
        ("moved_up", "declined", "1", False),
        ("pairing_active", "active", "1", True),
        ("pairing_active", "completed", "1", True),
        ("pairing_active", "ended", "1", False),
        ("certified", "certified", "1", True),
        ("mastered", "endorsed", "1", True),
    ],
)
def test_what_no_longer_holds_is_not_mailed(kind: str, state: str, occasion: str, expected: bool) -> None:
    """A mail asks for what is still open, and greets nobody to what is called off."""
    subject = {"state": state, "occasion": "1"}
    assert rules.holds(msgspec.convert(kind, Kind), occasion, subject) is expected
