"""The only wiring of enrollment: settings to store, web and bus. Connects to nothing on import."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask

from infra.clock import Clock, system_clock
from infra.messaging.consumer import Consumer
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch
from infra.messaging.unsent import resend
from infra.operations.status import Table
from infra.problems import Text
from infra.settings import Settings, SettingsError
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect, ping
from infra.storage.timers import TimersLoop
from infra.telemetry import logs
from infra.web.app import build_app
from infra.worker import Part, Worker

from .commands.pairings import SILENCE, escalate
from .context import Context
from .domain.pairings import Limits
from .events import CONSUMED
from .http import approvals, batches, competencies, employees, imports, pairings, participants, units
from .importing.job import Importer
from .reactions import subscriptions
from .store import Store

TITLE = Text(
    "Bina: kepesertaan (unit, pegawai, kompetensi, angkatan, pasangan bimbingan)",
    "Bina: enrollment (units, employees, competencies, batches, pairings)",
)
SERVICE = "enrollment"
GROUPS = (SERVICE,)


def context_of(settings: Settings, clock: Clock) -> Context:
    """The store of these settings, with its indexes once something is asked of it."""
    return Context(Store(connect(settings)), clock, limits_of(os.environ))


def limits_of(env: Mapping[str, str]) -> Limits:
    """`BINA_MAX_PAIRINGS_GUIDE` (5) and `BINA_MAX_PAIRINGS_LEARNER` (2)."""
    faults: list[str] = []

    def number(name: str, default: int) -> int:
        text = env.get(name, "").strip() or str(default)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
            faults.append(f"{name} must be a whole number from 1 to 1000, not {text}")
            return default
        return int(text)

    limits = Limits(guide=number("BINA_MAX_PAIRINGS_GUIDE", 5), learner=number("BINA_MAX_PAIRINGS_LEARNER", 2))
    if faults:
        raise SettingsError(faults)
    return limits


def api(settings: Settings, clock: Clock = system_clock) -> Flask:
    """The HTTP API."""
    context = context_of(settings, clock)
    blueprints = [
        units.blueprint(context),
        competencies.needs_blueprint(context),
        competencies.blueprint(context),
        competencies.gaps_blueprint(context),
        imports.blueprint(context),
        employees.blueprint(context),
        approvals.blueprint(context),
        batches.blueprint(context),
        participants.nominations(context),
        participants.blueprint(context),
        participants.certificates(context),
        pairings.blueprint(context),
    ]
    ready = {"mongodb": lambda: ping(context.store.database)}
    return build_app(settings, TITLE, blueprints, clock=clock, ready=ready)


def from_env() -> Flask:
    """The API as the server starts it: settings from the environment, logs as JSON, indexes made."""
    settings = Settings.from_env(SERVICE, os.environ)
    logs.configure(settings)
    Store(connect(settings)).ensure_indexes()
    return api(settings)


def worker(settings: Settings, clock: Clock = system_clock) -> Worker:
    """The relay, the consumer, the timers and the imports."""
    context = context_of(settings, clock)
    context.store.ensure_indexes()
    handlers = {SILENCE: lambda key, _: escalate(context, key)}
    parts: list[Part] = [
        Relay(settings, context.store.database, context.store.aggregates, clock),
        Consumer(settings, SERVICE, CONSUMED, dispatch(subscriptions(context)), clock),
        TimersLoop(context.store.timers, handlers, clock),
        Importer(context),
    ]
    return Worker(settings, parts, {"mongodb": lambda: ping(context.store.database)})


def groups(settings: Settings) -> Sequence[str]:
    """The consumer groups of this service."""
    del settings
    return GROUPS


def aggregates(settings: Settings) -> Sequence[Aggregates[Any]]:
    """All aggregates of the service."""
    return Store(connect(settings)).aggregates


def tables(settings: Settings) -> list[Table]:
    """None: `status` tells all."""
    del settings
    return []


def rebuild(settings: Settings) -> None:
    """Nothing here is derived from the log; what others derive from it is sent again."""
    for one in aggregates(settings):
        resend(one, {}, system_clock)
