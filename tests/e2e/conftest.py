"""The whole system in one process: four services, each with API and worker, on one database and one broker."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from infra.clock import system_clock
from infra.local.mailsink import MailSink
from infra.local.ports import free_port
from infra.messaging.consumer import HANDLED
from infra.messaging.lag import places_of
from infra.messaging.topics import full_name
from infra.messaging.unsent import UNSENT, resend
from infra.settings import PORTS, Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect
from services.enrollment import app as enrollment
from services.enrollment import events as enrollment_events
from services.notifications import app as notifications
from services.notifications import events as notifications_events
from services.notifications.settings import MailSettings
from services.reporting import app as reporting
from services.reporting import events as reporting_events
from services.reporting.generations import Generations
from services.sessions import app as sessions
from services.sessions import events as sessions_events
from tests.conftest import SettingsFor, Tokens
from tests.support import Client, eventually, running

HR = "00000000-0000-4000-8000-0000000000aa"


class Bina:
    """The running system, as its callers see it: by HTTP, each with a token of their own."""

    def __init__(
        self, settings: dict[str, Settings], apis: dict[str, Flask], tokens: Tokens, sink: MailSink
    ) -> None:
        self.settings = settings
        self.sink = sink
        self._apis = apis
        self._tokens = tokens
        self._times = 1

    def by(self, service: str, sub: str, *roles: str, unit: str | None = None) -> Client:
        """A service, called by somebody with these roles."""
        return Client(self._apis[service], self._tokens(sub, list(roles), unit))

    def hr(self, service: str = "enrollment") -> Client:
        """A service, called by the HR portal."""
        return self.by(service, HR, "hr")

    def import_file(self, kind: str, text: str, effective_at: str) -> dict[str, Any]:
        """Imports a CSV file and waits for the end; gives the import."""
        hr = self.hr()
        form = httpx.Request("POST", "http://bina", files={"file": (f"{kind}.csv", text.encode(), "text/csv")})
        posted = hr.post(
            "/v1/imports",
            params={"kind": kind, "effective_at": effective_at},
            raw=form.read(),
            content_type=form.headers["Content-Type"],
        ).expect(202)

        def ended() -> dict[str, Any] | None:
            body: dict[str, Any] = hr.get(f"/v1/imports/{posted.body['id']}").expect(200).body
            return body if body["state"] in ("done", "failed") else None

        body = eventually(ended)
        assert body is not None
        return body

    def employee(self, nip: str) -> dict[str, Any]:
        """The employee with this NIP."""
        found: dict[str, Any] = self.hr().post("/v1/employees/search", {"nip": nip}).expect(200).body["items"][0]
        return found

    def kpis(self, period: str, unit: str | None = None) -> dict[tuple[str, str | None], Any]:
        """All figures by id and part, without when they were read."""
        params = {"period": period, "limit": 200, **({"unit": unit} if unit else {})}
        rows = self.hr("reporting").get("/v1/kpis", params=params).expect(200).body["items"]
        return {(row["id"], row["part"]): (row["value"], row["numerator"], row["denominator"]) for row in rows}

    def inbox(self, employee_id: str) -> list[tuple[str, bool]]:
        """Kinds in a person's inbox, and whether they count as read; in order of time."""
        items = self.by("notifications", employee_id, "employee").get("/v1/inbox").expect(200).body["items"]
        return [(item["kind"], item["read"]) for item in reversed(items)]

    def mails(self) -> Counter[tuple[str, str]]:
        """Addresses and subjects of all mails."""
        return Counter((mail.to[0], mail.subject) for mail in self.sink.mailbox.find(limit=1000))

    def settle(self) -> None:
        """Waits until everything that was published so far has been handled by all who listen."""
        eventually(self._settled, interval=0.1)

    def replay(self) -> None:
        """Sends every event of every service again, and waits until all who listen have handled them."""
        self.settle()
        self._times += 1
        for aggregates in self._aggregates():
            resend(aggregates, {}, system_clock)
        self.settle()

    def _settled(self) -> bool:
        # What was handled while others were asked may have told more.
        return (
            self._everything_is_handled()
            and self._nobody_is_behind()
            and self._everything_is_handled()
            and self._everybody_is_placed()
        )

    def _everything_is_handled(self) -> bool:
        """Counted first, so that nothing handled meanwhile stands for what was published before.

        What waits for no more than its advance counts as unsent: an advance after `resend` would undo that.
        """
        handled, published = _handled(), Counter[str]()
        for aggregates in self._aggregates():
            if aggregates.collection.find_one(UNSENT):
                return False
            for document in aggregates.collection.find({}, {"events": 1}):
                for event in document["events"]:
                    published[event.get("topic", aggregates.topic)] += (
                        1 if "topic" in event else len(aggregates.versions)
                    )
        return all(
            handled[group, full_name(self.settings["reporting"], topic)] >= self._times * published[topic]
            for group, topics in LISTENERS.items()
            for topic in topics
        )

    def _nobody_is_behind(self) -> bool:
        """Repeats are counted as handled, too; so the broker is asked what is left."""
        listeners = (enrollment, sessions, notifications, reporting)
        groups = ((self.settings[service.SERVICE], service.GROUPS[0]) for service in listeners)
        return not any(place.behind for settings, group in groups for place in places_of(settings, group))

    def _everybody_is_placed(self) -> bool:
        """Whether reporting has placed its people by the newest tree: it does so after it has read of the tree."""
        store = Generations(connect(self.settings["reporting"])).store()
        return not store.people_behind(store.tree_version(), 1)

    def _aggregates(self) -> list[Aggregates[Any]]:
        services = (enrollment, sessions, notifications)
        return [each for service in services for each in service.aggregates(self.settings[service.SERVICE])]


LISTENERS = {
    service.GROUPS[0]: events.CONSUMED
    for service, events in (
        (enrollment, enrollment_events),
        (sessions, sessions_events),
        (notifications, notifications_events),
        (reporting, reporting_events),
    )
}


def _handled() -> dict[tuple[str, str], float]:
    """How many events each group has handled of each topic, in this process."""
    counted = {
        (sample.labels["group"], sample.labels["topic"]): sample.value
        for metric in HANDLED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    return defaultdict(float, counted)


@pytest.fixture
def bina(settings_for: SettingsFor, tokens: Tokens, tmp_path: Path) -> Iterator[Bina]:
    """The system, started and stopped."""
    with system({name: settings_for(name) for name in PORTS}, tokens, tmp_path / "mails") as bina:
        yield bina


@contextmanager
def system(settings: dict[str, Settings], tokens: Tokens, mails: Path) -> Iterator[Bina]:
    """Four services with these settings, each with API and worker, and a mail box of their own."""
    sink = MailSink(mails, free_port(), free_port())
    mail = MailSettings(
        url=sink.smtp_url,
        sender=Address("Bina", addr_spec="bina@example.go.id"),
        window=timedelta(seconds=0.3),
    )
    workers = (
        enrollment.worker(settings["enrollment"]),
        sessions.worker(settings["sessions"]),
        notifications.worker(settings["notifications"], system_clock, mail),
        reporting.worker(settings["reporting"]),
    )
    apis = {
        "enrollment": enrollment.api(settings["enrollment"]),
        "sessions": sessions.api(settings["sessions"]),
        "notifications": notifications.api(settings["notifications"]),
        "reporting": reporting.api(settings["reporting"]),
    }
    with ExitStack() as stack:
        stack.enter_context(sink)
        stack.enter_context(running(*workers))
        yield Bina(settings, apis, tokens, sink)
