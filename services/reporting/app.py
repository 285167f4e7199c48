"""The only wiring: settings to store, bus and web. Connects nothing on import."""

from collections.abc import Sequence
from typing import Any

from flask import Flask

from infra.clock import Clock, system_clock
from infra.operations.status import Table
from infra.problems import Text
from infra.settings import Settings
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect, ping
from infra.web.app import build_app
from infra.worker import Worker
from services.reporting import dashboard, http
from services.reporting.generations import FIRST, Generations, group_of
from services.reporting.rebuild import LogCut
from services.reporting.rebuild import rebuild as rebuild_from_log
from services.reporting.standing import standing
from services.reporting.upkeep import Upkeep

SERVICE = "reporting"
GROUPS = (group_of(FIRST),)
TITLE = Text("Bina: pelaporan", "Bina: reporting")


def api(settings: Settings, clock: Clock = system_clock) -> Flask:
    """Figures, records, gaps and freshness over HTTP, and the dashboard."""
    database = connect(settings)
    generations = Generations(database)
    return build_app(
        settings,
        TITLE,
        [
            http.kpis(generations, clock),
            http.records(generations, clock),
            http.gaps(generations, clock),
            http.sources(generations, clock),
        ],
        clock=clock,
        ready={"mongodb": lambda: ping(database), "figures": generations.store},
        pages=[dashboard.pages(generations, clock)],
    )


def worker(settings: Settings, clock: Clock = system_clock) -> Worker:
    """What keeps the figures up to date."""
    database = connect(settings)
    figures = Upkeep(settings, database, clock)
    return Worker(settings, [figures], {"mongodb": lambda: ping(database), figures.name: figures.ready})


def from_env() -> Flask:
    """The API as the web server starts it."""
    return api(Settings.from_env(SERVICE))


def groups(settings: Settings) -> Sequence[str]:
    """The consumer group of the generation that is shown, and those of such as are being counted."""
    generations = Generations(connect(settings))
    counted = [each.number for each in generations.standing() if each.state == "counted"]
    return [group_of(number) for number in (generations.active(), *counted)]


def aggregates(settings: Settings) -> list[Aggregates[Any]]:
    """None: reporting owns no aggregate, it counts those of others."""
    del settings
    return []


def tables(settings: Settings) -> list[Table]:
    """The generations; where the next can't be counted, why."""
    return [standing(settings, Generations(connect(settings)))]


def rebuild(settings: Settings) -> None:
    """Counts everything anew from the log, then shows that. Ends with a message when the log is cut."""
    try:
        rebuild_from_log(settings)
    except LogCut as cut:
        raise SystemExit(f"Nothing was changed: {cut}") from None
