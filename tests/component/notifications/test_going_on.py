"""That nothing in the queue of mails holds up those behind it."""

import threading
from collections.abc import Iterable, Sequence
from email.message import EmailMessage

import pytest

from infra.messaging.envelope import derived_id
from services.notifications.channels import Busy, Rejected, Unreachable
from services.notifications.domain import Entry
from services.notifications.wording import Names
from tests.component.notifications.conftest import Service
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import LEARNER, NAMES


class FirstPause(threading.Event):
    """Stops the sender when it first pauses; seconds: how long it was about to."""

    seconds: float | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds = timeout
        self.set()
        return True


def after_an_outage(service: Service) -> None:
    """The mail server was away for some minutes, while a mail to the learner waited; it is there again now."""
    service.box.trouble = Unreachable("ConnectionRefusedError")
    service.hear(*NAMES, told.participant("participant.certified", "certified"))
    for _ in range(7):
        service.clock.turn(minutes=15)
        service.send()
    service.box.trouble = None


def test_after_an_outage_nobody_waits_behind_those_who_get_no_mail(service: Service) -> None:
    """Each of them cost a pause as long as if the server were still away."""
    after_an_outage(service)
    service.hear(told.person(LEARNER, "Warji Uyainah", None, seq=2))
    service.hear(*(told.session(id_=derived_id("session", str(number))) for number in range(3)))
    service.clock.turn(minutes=15)
    service.hear(told.pairing())
    pause = FirstPause()
    service.sender.run(pause)
    assert service.deliveries() == {"failed": ["no-address"] * 5, "sent": ["pairing-active"]}
    assert pause.seconds == 0.5


@pytest.mark.parametrize("answer", [Busy("451"), Rejected("refused")])
def test_a_mail_server_that_refuses_is_there(
    service: Service, answer: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next mail doesn't wait; and if the server is away anew, the pauses begin anew."""
    after_an_outage(service)
    service.clock.turn(minutes=15)
    service.hear(told.pairing())
    answers = [answer, Unreachable("SMTPServerDisconnected")]

    def send(_: EmailMessage) -> None:
        raise answers.pop(0)

    monkeypatch.setattr(service.box, "send", send)
    pause = FirstPause()
    service.sender.run(pause)
    assert (answers, pause.seconds) == ([], 1.0)


@pytest.mark.parametrize("collections", [("deliveries", "entries"), ("entries",)])
def test_what_a_later_release_left_is_passed_over(service: Service, collections: Sequence[str]) -> None:
    """A kind that this release doesn't know waits for the release that does; mails behind it are sent."""
    service.hear(*NAMES, told.endorsement())
    for name in collections:
        service.store.database[name].update_one({}, {"$set": {"kind": "please_decide"}})
    service.hear(told.session())
    service.clock.turn(seconds=20)
    pause = FirstPause()
    service.sender.run(pause)
    states = service.store.database["deliveries"].distinct("state", {"rule": "please-endorse"})
    assert states == ["waiting"]
    assert service.box.subjects() == ["Mohon konfirmasi sesi mentoring dengan Oliva Situmorang"]


def test_what_happens_next_to_a_thing_of_which_a_later_release_told_is_heard(service: Service) -> None:
    """The delivery of an unknown kind is left alone; the event is no dead letter."""
    service.hear(*NAMES, told.endorsement())
    unknown = {"$set": {"kind": "please_decide"}}
    service.store.database["deliveries"].update_one({}, unknown)
    service.store.database["entries"].update_one({}, unknown)
    service.hear(told.session(), told.endorsement("endorsement.endorsed", "endorsed", seq=2))
    service.send_later()
    assert service.store.deliveries.collection.count_documents({"state": "sent", "kind": "mastered"}) == 2


def test_a_name_that_comes_while_it_is_looked_for_is_not_missed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the decision to wait on; the mail would have waited a quarter of an hour more."""
    service.hear(told.pairing())
    service.clock.turn(hours=1)
    names_for = service.store.names_for

    def comes_too_late(entries: Iterable[Entry]) -> Names:
        found = names_for(entries)
        if not found.people:
            service.clock.turn(seconds=1)
            service.hear(*NAMES)
        return found

    monkeypatch.setattr(service.store, "names_for", comes_too_late)
    service.send()
    assert service.deliveries() == {"sent": ["pairing-active", "pairing-active"]}
