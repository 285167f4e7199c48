"""From an event to the inbox and the mail, without the bus."""

import random
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from infra.storage.failures import may_pass
from tests.component.notifications.conftest import Service
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import ENDORSER, GUIDE, LEARNER, NAMES, NOW, STRANGER, Happening

STORY = (
    told.participant("participant.accepted", "accepted"),
    told.participant("participant.certified", "certified", seq=3),
    told.pairing(),
    told.session(),
    told.session("session.confirmed", "confirmed", seq=2),
    told.endorsement(),
    told.endorsement("endorsement.endorsed", "endorsed", seq=2),
)


def test_each_is_told_by_mail_and_inbox(service: Service) -> None:
    """One mail and one entry for each happening and person."""
    service.hear(*NAMES, *STORY[:3])
    service.send()
    assert sorted(service.box.subjects("warji@example.go.id")) == [
        "Anda diterima di Angkatan II",
        "Bimbingan dimulai: Menyusun surat dinas",
        "Selamat, Anda lulus Angkatan II",
    ]
    assert service.box.subjects("oliva@example.go.id") == ["Bimbingan dimulai: Menyusun surat dinas"]
    assert service.deliveries() == {"sent": ["accepted", "certified", "pairing-active", "pairing-active"]}
    assert service.store.entries.count_documents({"read": False}) == 4


def test_the_same_story_again_tells_nobody_anything(service: Service) -> None:
    """Replayed from the start, shuffled, a day later: nothing doubled, nothing changed."""
    service.hear(*NAMES, *STORY)
    service.send_later()
    before, mails = service.everything(), len(service.box.mails)
    service.clock.turn(days=1)
    again: list[Happening] = [*NAMES, *STORY] * 2
    random.Random(7).shuffle(again)
    service.hear(*again)
    service.send_later()
    assert service.everything() == before
    assert len(service.box.mails) == mails


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_need_not_answer_any_more_gets_no_mail(service: Service, order: tuple[int, ...]) -> None:
    """A question that was put to another supervisor is settled for the first, whichever event comes first."""
    asked = [told.endorsement(), told.endorsement(seq=2, endorser=STRANGER)]
    service.hear(*NAMES, told.person(STRANGER, "Siti Aminah", "siti@example.go.id"))
    for place in order:
        service.hear(asked[place])
    service.send_later()
    assert [str(mail["To"]) for mail in service.box.mails] == ["Siti Aminah <siti@example.go.id>"]
    assert service.store.entries.distinct("employee_id", {"read": False}) == [STRANGER]


def test_an_entry_that_no_majority_has_is_not_taken_for_told(service: Service) -> None:
    """The event is tried again; the entry that is there by then stays as it is."""
    entries = service.store.entries
    service.store.entries = entries.with_options(write_concern=WriteConcern(w=50))
    for _ in range(2):
        with pytest.raises(BulkWriteError) as error:
            service.hear(*NAMES, STORY[0])
        assert may_pass(error.value)
    service.store.entries = entries
    service.hear(STORY[0])
    assert entries.count_documents({}) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_events_makes_no_difference(service: Service, order: tuple[int, ...]) -> None:
    """The learner has confirmed, so nothing is asked any more; of the mastery both are told in any case."""
    events = [told.session(), STORY[4], STORY[6]]
    service.hear(*NAMES, *(events[place] for place in order))
    service.send_later()
    assert service.deliveries() == {"sent": ["mastered", "mastered-guide"], "withdrawn": ["void"]}
    asked = service.store.entries.find_one({"kind": "please_confirm"})
    assert asked is not None
    assert asked["read"]


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_order_with_repetitions_ends_the_same(service: Service, chance: random.Random) -> None:
    """Once all has arrived and nothing was sent in between, the inboxes are the same."""
    service.forget()
    events: list[Happening] = [*NAMES, *STORY, *chance.sample(STORY, 3)]
    chance.shuffle(events)
    service.hear(*events)
    found = {(row["rule"], row["employee_id"], row["read"]) for row in service.store.entries.find({})}
    assert found == {
        ("accepted", LEARNER, False),
        ("certified", LEARNER, False),
        ("pairing-active", GUIDE, False),
        ("pairing-active", LEARNER, False),
        ("please-confirm", LEARNER, True),
        ("please-endorse", ENDORSER, True),
        ("mastered", LEARNER, False),
        ("mastered-guide", GUIDE, False),
    }


def test_a_session_confirmed_in_time_asks_nobody(service: Service) -> None:
    """The mail is withdrawn before the time of gathering is over, and the entry counts as read."""
    service.hear(*NAMES, told.session())
    service.hear(told.session("session.confirmed", "confirmed", seq=2))
    service.send()
    assert service.deliveries() == {"withdrawn": ["void"]}
    assert service.box.mails == []
    assert service.store.entries.count_documents({"read": True}) == 1


def test_a_corrected_session_asks_again(service: Service) -> None:
    """Disputed, corrected, held: the learner has a new entry and a new mail."""
    service.hear(*NAMES, told.session())
    service.send_later()
    service.hear(told.session("session.disputed", "disputed", seq=2))
    service.hear(told.session(seq=3, held_at=NOW + timedelta(hours=1)))
    service.send_later()
    assert len(service.box.mails) == 2
    assert service.store.entries.count_documents({"read": False}) == 1


def test_old_news_is_in_the_inbox_only(service: Service) -> None:
    """Nobody is mailed about something recorded more than seven days ago."""
    service.hear(*NAMES, told.pairing(time=NOW - timedelta(days=7, seconds=1)))
    service.send()
    assert service.deliveries() == {}
    assert service.store.entries.count_documents({}) == 2


def test_what_took_effect_long_ago_but_was_recorded_today_is_mailed(service: Service) -> None:
    """The batch of 2016 is entered today."""
    event, seen = told.participant("participant.certified", "certified")
    service.hear(*NAMES, (replace(event, effective_at=NOW - timedelta(days=3800)), seen))
    service.send()
    assert len(service.box.mails) == 1


def test_an_accepted_one_who_withdraws_is_not_welcomed(service: Service) -> None:
    """The mail is withdrawn while it waits; the entry stays, for it was so."""
    service.hear(told.participant("participant.accepted", "accepted"))
    service.hear(told.participant("participant.withdrawn", "withdrawn", seq=2), *NAMES)
    service.send_later()
    assert service.deliveries() == {"withdrawn": ["void"]}
    assert service.store.entries.count_documents({"read": False}) == 1
