"""The service's parts on a real database, with a clock that tests turn and a letter box for a mail server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from itertools import groupby
from typing import Any

import pytest
from flask import Flask

from infra.settings import Settings
from infra.storage.mongo import connect
from services.notifications import app
from services.notifications.reactions import Reactions
from services.notifications.sender import Sender
from services.notifications.store import Store
from tests.conftest import SettingsFor
from tests.unit.notifications.happenings import NOW, Happening

WINDOW = timedelta(seconds=20)


class Hands:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Forward, by `timedelta`'s arguments."""
        self.now += timedelta(**by)


@dataclass
class LetterBox:
    """Takes every mail, or does what `trouble` says."""

    mails: list[EmailMessage] = field(default_factory=list)
    trouble: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.trouble:
            raise self.trouble
        self.mails.append(message)

    def close(self) -> None:
        """Nothing to let go of."""

    def subjects(self, address: str | None = None) -> list[str]:
        """Of all mails, or those to one address."""
        return [str(mail["Subject"]) for mail in self.mails if address is None or address in str(mail["To"])]


class Service:
    """What happens in the service, step by step."""

    def __init__(self, store: Store, clock: Hands, box: LetterBox) -> None:
        self.store = store
        self.clock = clock
        self.box = box
        self.sender = self.another_sender()
        self._handlers = {each.aggregate: each.handle for each in Reactions(store, clock, WINDOW).subscriptions()}

    def another_sender(self) -> Sender:
        """As another worker would have it."""
        return Sender(self.store, self.box, self.clock, Address("Bina", addr_spec="bina@example.go.id"))

    def hear(self, *happenings: Happening) -> None:
        """Takes in events, as the consumer gives them: runs of one kind of aggregate."""
        for aggregate, run in groupby(happenings, key=lambda happening: happening[0].aggregate):
            self._handlers[aggregate](list(run))

    def send(self) -> None:
        """Sends all whose turn it is by now."""
        while self.sender.send_next():
            pass

    def send_later(self) -> None:
        """The same, when the time in which mails are gathered is over."""
        self.clock.turn(seconds=WINDOW.total_seconds())
        self.send()

    def forget(self) -> None:
        """Empties the database."""
        for name in self.store.database.list_collection_names():
            self.store.database[name].delete_many({})

    def deliveries(self) -> dict[str, Sequence[Any]]:
        """Rules and problems of all deliveries, by state."""
        found: dict[str, list[Any]] = {}
        for stored in self.store.deliveries.find({}, sort=[("rule", 1), ("_id", 1)]):
            found.setdefault(stored.state.state, []).append(stored.state.problem or stored.state.rule)
        return {state: sorted(what) for state, what in found.items()}

    def everything(self) -> tuple[list[Any], list[Any]]:
        """All that people can see, to compare before and after."""
        hidden = {"next_at", "updated_at", "changed", "events", "sent", "unsent", "members", "effective_at"}
        entries = list(self.store.entries.find({}, sort=[("_id", 1)]))
        deliveries = list(self.store.deliveries.collection.find({}, sort=[("_id", 1)]))
        return entries, [{k: v for k, v in each.items() if k not in hidden} for each in deliveries]


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def box() -> LetterBox:
    return LetterBox()


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    return settings_for("notifications")


@pytest.fixture
def service(settings: Settings, clock: Hands, box: LetterBox) -> Service:
    store = Store(connect(settings))
    store.ensure_indexes()
    return Service(store, clock, box)


@pytest.fixture
def api(settings: Settings, clock: Hands) -> Flask:
    return app.api(settings, clock)
