"""The only wiring: settings to store, bus, mail and web. Connects nothing on import."""

from collections.abc import Sequence
from typing import Any

from flask import Flask

from infra.clock import Clock, system_clock
from infra.messaging.consumer import Consumer
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch
from infra.messaging.unsent import resend
from infra.operations.status import Table
from infra.problems import Text
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect, ping
from infra.telemetry import logs
from infra.web.app import build_app
from infra.worker import Part, Worker
from services.notifications import http
from services.notifications.channels import Smtp
from services.notifications.commands import Commands
from services.notifications.events import CONSUMED
from services.notifications.reactions import Reactions
from services.notifications.sender import Sender
from services.notifications.settings import MailSettings
from services.notifications.store import Store

SERVICE = "notifications"
GROUPS = (SERVICE,)
TITLE = Text("Bina: pemberitahuan", "Bina: notifications")


def api(settings: Settings, clock: Clock = system_clock) -> Flask:
    """Inbox, preferences and deliveries over HTTP."""
    database = connect(settings)
    store = Store(database)
    commands = Commands(store, clock)
    return build_app(
        settings,
        TITLE,
        [http.inbox(commands, store), http.preferences(commands, store), http.deliveries(commands, store)],
        clock=clock,
        ready={"mongodb": lambda: ping(database)},
    )


def worker(settings: Settings, clock: Clock = system_clock, mail: MailSettings | None = None) -> Worker:
    """Relay, consumer and the sender of mails. mail: read from the environment unless given."""
    mail = mail or MailSettings.from_env(settings)
    database = connect(settings)
    store = Store(database)
    store.ensure_indexes()
    reactions = Reactions(store, clock, mail.window)
    parts: list[Part] = [
        Relay(settings, database, _published(store), clock),
        Consumer(settings, SERVICE, CONSUMED, dispatch(reactions.subscriptions()), clock),
        Sender(store, Smtp(mail.url), clock, mail.sender),
    ]
    return Worker(settings, parts, {"mongodb": lambda: ping(database)})


def from_env() -> Flask:
    """The API as the web server starts it: settings from the environment, logs as JSON, indexes made."""
    settings = Settings.from_env(SERVICE)
    logs.configure(settings)
    Store(connect(settings)).ensure_indexes()
    return api(settings)


def groups(settings: Settings) -> Sequence[str]:
    """The consumer groups of this service."""
    del settings
    return GROUPS


def aggregates(settings: Settings) -> list[Aggregates[Any]]:
    """All aggregates of the service, for `resend`."""
    return _published(Store(connect(settings)))


def tables(settings: Settings) -> list[Table]:
    """None: `status` tells all."""
    del settings
    return []


def rebuild(settings: Settings) -> None:
    """Publishes everything again; inboxes and deliveries are records of their own and are never derived anew."""
    for each in aggregates(settings):
        resend(each, {}, system_clock)


def _published(store: Store) -> list[Aggregates[Any]]:
    return [store.deliveries, store.preferences]
