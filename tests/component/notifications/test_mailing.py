"""How mails are gathered, held back, sent and tried again, without the bus."""

from datetime import timedelta

import pytest

from infra.messaging.envelope import derived_id
from infra.storage.aggregates import Change, Stored
from services.notifications.channels import Busy, Rejected, Unreachable
from services.notifications.domain import Delivery, Entry, Preferences, Quiet
from services.notifications.reactions import SYSTEM
from tests.component.notifications.conftest import Service
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import LEARNER, NAMES, NOW

MANY = [
    told.session(id_=derived_id("session", str(week)), started_at=NOW - timedelta(weeks=week))
    for week in range(1, 13)
]


def wish(service: Service, **wishes: object) -> None:
    change = Change(type="preferences.changed", actor=SYSTEM, at=NOW, effective_at=NOW)
    service.store.preferences.insert(Preferences(id=LEARNER, **wishes), change)  # type: ignore[arg-type]


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
