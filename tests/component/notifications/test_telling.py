"""From an event to the inbox and the mail, without the bus."""

import random
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from infra.messaging.envelope import derived_id
from infra.storage.aggregates import Change, Stored
from services.notifications.channels import Busy, Rejected, Unreachable
from services.notifications.domain import Delivery, Entry, Preferences, Quiet
from services.notifications.reactions import SYSTEM
from tests.component.notifications.conftest import Service
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import ENDORSER, GUIDE, LEARNER, NOW, Happening

NAMES = (
    told.person(GUIDE, "Oliva Situmorang", "oliva@example.go.id"),
    told.person(LEARNER, "Warji Uyainah", "warji@example.go.id"),
    told.person(ENDORSER, "Nardi Nurdiyanti", "nardi@example.go.id"),
    told.batch(),
    told.competency(),
)
STORY = (
    told.participant("participant.accepted", "accepted"),
    told.participant("participant.certified", "certified", seq=3),
    told.pairing(),
    told.session(),
    told.session("session.confirmed", "confirmed", seq=2),
    told.endorsement(),
    told.endorsement("endorsement.endorsed", "endorsed", seq=2),
)
MANY = [
    told.session(id_=derived_id("session", str(week)), started_at=NOW - timedelta(weeks=week))
    for week in range(1, 13)
]


def wish(service: Service, **wishes: object) -> None:
    change = Change(type="preferences.changed", actor=SYSTEM, at=NOW, effective_at=NOW)
    service.store.preferences.insert(Preferences(id=LEARNER, **wishes), change)  # type: ignore[arg-type]


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


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_twelve_weeks_of_sessions_make_one_mail(service: Service) -> None:
    """A phone that was offline sends its queue: the learner gets one list, and an entry for each."""
    service.hear(*NAMES, *MANY)
    service.send_later()
    assert service.box.subjects() == ["Mohon konfirmasi 12 sesi bimbingan"]
    assert service.deliveries() == {"sent": ["please-confirm"], "withdrawn": ["combined"] * 11}
    assert service.store.entries.count_documents({"read": False}) == 12
    service.hear(told.session())
    service.send_later()
    assert len(service.box.mails) == 2


def test_a_common_mail_leaves_out_what_was_done_meanwhile(service: Service) -> None:
    """The server was busy, and some sessions were confirmed until it took the mail."""
    service.hear(*NAMES, *MANY[:3])
    service.box.trouble = Busy("451")
    service.send_later()
    service.hear(told.session("session.confirmed", "confirmed", seq=2, id_=MANY[0][0].subject))
    service.box.trouble = None
    service.clock.turn(minutes=1)
    service.send()
    assert service.box.subjects() == ["Mohon konfirmasi 2 sesi bimbingan"]


def test_a_mail_waits_for_the_names_in_it(service: Service) -> None:
    """Events and people travel in different topics; whichever is late, the mail is complete."""
    service.hear(told.pairing())
    service.send()
    assert service.deliveries() == {"waiting": ["pairing-active", "pairing-active"]}
    service.hear(*NAMES)
    service.clock.turn(seconds=1)
    service.send()
    assert len(service.box.mails) == 2
    attempts = [row["attempts"] for row in service.store.deliveries.collection.find({})]
    assert attempts == [1, 1]


def test_a_person_without_address_gets_no_mail_and_hr_sees_why(service: Service) -> None:
    """The entry is in the inbox all the same."""
    service.hear(*NAMES[:1], told.person(LEARNER, "Warji", None), *NAMES[2:], told.session())
    service.send_later()
    assert service.deliveries() == {"failed": ["no-address"]}
    assert service.store.entries.count_documents({"employee_id": LEARNER}) == 1


def test_an_erased_person_is_written_to_no_more(service: Service) -> None:
    """The name is gone from the copy, and what waited is withdrawn."""
    service.hear(*NAMES, told.session(), told.erased(LEARNER))
    service.send()
    assert service.deliveries() == {"withdrawn": ["erased"]}
    assert "Warji" not in repr(list(service.store.people.collection.find({})))
    service.hear(told.person(LEARNER, "Warji Uyainah", "warji@example.go.id", seq=1), told.pairing())
    service.send()
    assert service.box.subjects("warji@example.go.id") == []


def test_quiet_hours_are_waited_out(service: Service) -> None:
    """It is ten in the morning; the mail comes at noon."""
    wish(service, quiet=Quiet(start="09:00", end="12:00"))
    service.hear(*NAMES, told.session())
    service.send_later()
    assert service.box.mails == []
    service.clock.turn(hours=2)
    service.send()
    assert len(service.box.mails) == 1


def test_who_wants_no_mail_of_a_kind_gets_none(service: Service) -> None:
    """Also when the mind is changed later and the log is replayed; and in the language that was chosen."""
    wish(service, channels={"please_confirm": ()}, language="en")
    service.hear(*NAMES, told.session(), told.pairing())
    service.send_later()
    assert service.box.subjects("warji@example.go.id") == ["Guidance begins: Drafting official letters"]
    service.store.preferences.collection.delete_many({})
    service.hear(told.session())
    service.send_later()
    assert service.deliveries() == {
        "sent": ["pairing-active", "pairing-active"],
        "withdrawn": ["not-wanted"],
    }


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


def test_a_mail_server_that_is_away_loses_nothing(service: Service) -> None:
    """The mail is tried again with growing pauses, and comes once."""
    service.hear(*NAMES, told.session())
    service.box.trouble = Unreachable("ConnectionRefusedError")
    for _ in range(5):
        service.send_later()
    assert service.deliveries() == {"waiting": ["please-confirm"]}
    service.box.trouble = None
    service.clock.turn(minutes=15)
    service.send()
    service.send_later()
    assert len(service.box.mails) == 1
    assert service.deliveries() == {"sent": ["please-confirm"]}


def test_a_mail_that_is_never_taken_is_given_up_after_a_week(service: Service) -> None:
    """And is shown as failed."""
    service.hear(*NAMES, told.session())
    service.box.trouble = Busy("451")
    service.send_later()
    service.clock.turn(days=7)
    service.box.trouble = None
    service.send()
    assert service.deliveries() == {"failed": ["expired"]}
    assert service.box.mails == []


def test_a_refused_mail_fails_at_once(service: Service) -> None:
    """Trying again would not help; the server's words are not kept, for they quote the address."""
    service.hear(*NAMES, told.session())
    service.box.trouble = Rejected("refused")
    service.send_later()
    assert service.deliveries() == {"failed": ["refused"]}


def test_a_crash_after_the_mail_was_taken_repeats_it_under_the_same_id(service: Service) -> None:
    """At least once: what the other worker sends is the same mail, which mail programs show once."""
    service.hear(*NAMES, *MANY[:2])
    service.clock.turn(seconds=20)

    class Dies(BaseException):
        """The worker is killed."""

    def send_and_die(message: object) -> None:
        service.box.mails.append(message)  # type: ignore[arg-type]
        raise Dies

    service.box.send = send_and_die  # type: ignore[method-assign]
    with pytest.raises(Dies):
        service.sender.send_next()
    del service.box.send
    service.clock.turn(minutes=1)
    service.sender = service.another_sender()
    service.send()
    assert len({mail["Message-ID"] for mail in service.box.mails}) == 1
    assert len({mail.get_body().get_content() for mail in service.box.mails}) == 1  # type: ignore[union-attr]
    assert service.deliveries() == {"sent": ["please-confirm"], "withdrawn": ["combined"]}


def test_an_accepted_one_who_withdraws_is_not_welcomed(service: Service) -> None:
    """The mail is withdrawn while it waits; the entry stays, for it was so."""
    service.hear(told.participant("participant.accepted", "accepted"))
    service.hear(told.participant("participant.withdrawn", "withdrawn", seq=2), *NAMES)
    service.send_later()
    assert service.deliveries() == {"withdrawn": ["void"]}
    assert service.store.entries.count_documents({"read": False}) == 1


def test_an_answer_between_the_two_looks_stops_the_mail(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The learner confirms while the sender gathers what else waits: the mail is void, and the sender lives on."""
    service.hear(*NAMES, told.pairing(), told.session())
    gather = service.sender._gather

    def confirmed_meanwhile(stored: Stored[Delivery]) -> tuple[Stored[Delivery], list[Entry]]:
        service.hear(told.session("session.confirmed", "confirmed", seq=2))
        return gather(stored)

    monkeypatch.setattr(service.sender, "_gather", confirmed_meanwhile)
    service.send_later()
    assert "void" in service.deliveries()["withdrawn"]
    assert not any("konfirmasi" in subject.lower() for subject in service.box.subjects("warji@example.go.id"))


def test_a_delivery_that_nobody_foresaw_holds_up_no_other(service: Service) -> None:
    """An unforeseen failure lets that one rest; the sender goes on, and tries it again later."""
    service.box.trouble = ZeroDivisionError()
    service.hear(*NAMES, told.participant("participant.accepted", "accepted"))
    service.send()
    service.box.trouble = None
    assert service.deliveries() == {"waiting": ["accepted"]}
    service.clock.turn(minutes=2)
    service.send()
    assert service.deliveries() == {"sent": ["accepted"]}
