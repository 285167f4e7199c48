"""The only wiring of the service; connects to nothing before it is used."""

import os
from collections.abc import Sequence
from typing import Any

from flask import Flask

from infra.clock import Clock, system_clock
from infra.messaging.consumer import Consumer
from infra.messaging.relay import Relay
from infra.messaging.unsent import resend
from infra.operations.status import Table
from infra.problems import Text
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect, ping
from infra.storage.timers import TimersLoop
from infra.telemetry import logs
from infra.web.app import build_app
from infra.worker import Part, Worker

from .commands.endorsements import FOLLOW, Endorsements
from .commands.sessions import Sessions
from .domain.credit import DEFAULT_TABLE, Row
from .events import CONSUMED
from .http import blueprints
from .reactions import Reactions
from .store import Store

SERVICE = "sessions"
GROUPS = (SERVICE,)
TITLE = Text("Bina: sesi, JP, dan penguasaan", "Bina: sessions, JP and mastery")


def api(settings: Settings, clock: Clock = system_clock, table: Sequence[Row] = DEFAULT_TABLE) -> Flask:
    """The HTTP API."""
    store = Store(connect(settings))
    commands = Sessions(store, clock, table)
    made = blueprints(store, clock, commands, Endorsements(store, clock))
    return build_app(settings, TITLE, made, clock=clock, ready={"mongodb": lambda: ping(store.database)})


def from_env() -> Flask:
    """The API as the server starts it: settings from the environment, logs as JSON, indexes made."""
    settings = Settings.from_env(SERVICE, os.environ)
    logs.configure(settings)
    Store(connect(settings)).ensure_indexes()
    return api(settings)


def worker(settings: Settings, clock: Clock = system_clock) -> Worker:
    """The worker: publishes what happened here, takes in what happened in enrollment, follows supervisors."""
    store = Store(connect(settings))
    store.ensure_indexes()
    endorsements = Endorsements(store, clock)
    store.timers.set(FOLLOW, "all", clock())
    parts: list[Part] = [
        Relay(settings, store.database, store.aggregates, clock),
        Consumer(settings, SERVICE, CONSUMED, Reactions(store, clock, endorsements).handler(), clock),
        TimersLoop(store.timers, {FOLLOW: lambda *_: endorsements.follow_all()}, clock),
    ]
    return Worker(settings, parts, {"mongodb": lambda: ping(store.database)})


def groups(settings: Settings) -> Sequence[str]:
    """The consumer groups of this service."""
    del settings
    return GROUPS


def aggregates(settings: Settings) -> Sequence[Aggregates[Any]]:
    """What can be sent again."""
    return Store(connect(settings)).aggregates


def tables(settings: Settings) -> list[Table]:
    """None: `status` tells all."""
    del settings
    return []


def rebuild(settings: Settings) -> None:
    """Publishes everything again: what this service owns is not derived from the log."""
    for each in aggregates(settings):
        resend(each, {}, system_clock)
