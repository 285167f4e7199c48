"""Figures, their series and records, gaps and freshness: thin."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from infra.clock import Clock, day_of
from infra.problems import FieldError, Text, invalid, unknown
from infra.web.auth import current_actor, require
from infra.web.blueprint import Blueprint
from infra.web.context import language
from infra.web.paging import PageArgs, list_of, piece
from services.reporting import freshness
from services.reporting.access import INSIDE, inside, sight
from services.reporting.domain.periods import Period, between, of_day, previous
from services.reporting.evidence import Asked, Evidence
from services.reporting.figures import Figures
from services.reporting.generations import Generations
from services.reporting.kpis import KPIS, Kpi, Part
from services.reporting.reports import Reports
from services.reporting.schemas import (
    EvidenceOut,
    EvidenceQuery,
    GapOut,
    KpiOut,
    KpisQuery,
    PointOut,
    SeriesQuery,
    SourceOut,
)

USUAL_PERIODS = {"year": 5, "quarter": 8, "month": 12}
MOST_PERIODS = 240
KPI = Text("Indikator itu", "That figure")
NO_PART = Text(
    "Indikator ini tidak punya bagian itu; pilih salah satu: {parts}.",
    "This figure has no such part; choose one of: {parts}.",
)
BACKWARDS = Text("Periode `from` tidak boleh sesudah `to`.", "The period `from` must not be after `to`.")
TOO_MANY = Text(
    f"Paling banyak {MOST_PERIODS} periode sekali minta.", f"At most {MOST_PERIODS} periods at a time."
)


def kpis(generations: Generations, clock: Clock) -> Blueprint:
    """The figures."""
    blp = Blueprint("kpis", __name__, url_prefix="/kpis", description="The programme's figures.")

    @blp.route("")
    @blp.arguments(KpisQuery(), location="query")
    @blp.response(200, list_of(KpiOut))
    def listing(query: dict[str, Any]) -> Any:
        """List all figures of a unit with all below it in a period, one row a part."""
        store, now = generations.store(), clock()
        seen = sight(current_actor(), query["unit"], store.tree(), _today(now))
        as_of = freshness.as_of(store, now)
        period = query["period"] or of_day(_today(now), "year")
        rows = Reports(Figures(store)).kpis(seen, period, as_of, language())
        return piece(rows, query)

    @blp.route("/<kpi_id>/series")
    @blp.arguments(SeriesQuery(), location="query")
    @blp.response(200, list_of(PointOut))
    def series(query: dict[str, Any], kpi_id: str) -> Any:
        """Show one figure over years, quarters or months."""
        store, today = generations.store(), _today(clock())
        kpi = _kpi(kpi_id)
        part = _part(kpi, query["part"])
        seen = sight(current_actor(), query["unit"], store.tree(), today)
        points = Reports(Figures(store)).series(seen, kpi, part, _stretch(query, today), language())
        return piece(points, query)

    return blp


def records(generations: Generations, clock: Clock) -> Blueprint:
    """What stands behind the figures."""
    blp = Blueprint("evidence", __name__, url_prefix="/kpis", description="The records behind the figures.")

    @blp.route("/<kpi_id>/evidence")
    @blp.arguments(EvidenceQuery(), location="query")
    @blp.response(200, list_of(EvidenceOut))
    def evidence(query: dict[str, Any], kpi_id: str) -> Any:
        """List the records behind a figure, one for each of its numerator."""
        store, today = generations.with_records(), _today(clock())
        kpi = _kpi(kpi_id)
        part = _part(kpi, query["part"])
        scope = inside(current_actor(), query["unit"], store.tree(), today)
        period = query["period"] or of_day(today, "year")
        asked = Asked(scope, period, part, query["limit"], query["cursor"])
        items, after = Evidence(Figures(store)).page(kpi.id, asked)
        return {"items": [msgspec.structs.asdict(item) for item in items], "next": after}

    return blp


def gaps(generations: Generations, clock: Clock) -> Blueprint:
    """What units need and miss."""
    blp = Blueprint("gaps", __name__, url_prefix="/gaps", description="What units need, have and miss.")

    @blp.route("")
    @blp.arguments(KpisQuery(), location="query")
    @blp.response(200, list_of(GapOut))
    def listing(query: dict[str, Any]) -> Any:
        """List the needs of a unit and all below it at the end of a period, those that are met too."""
        store, today = generations.store(), _today(clock())
        scope = inside(current_actor(), query["unit"], store.tree(), today)
        period = query["period"] or of_day(today, "year")
        lines = Figures(store).gap_lines(scope, [period])[period.key]
        return piece([msgspec.structs.asdict(line) for line in lines], query)

    return blp


def sources(generations: Generations, clock: Clock) -> Blueprint:
    """How fresh the figures are."""
    blp = Blueprint("freshness", __name__, url_prefix="/freshness", description="How fresh the figures are.")

    @blp.route("")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(SourceOut))
    def listing(query: dict[str, Any]) -> Any:
        """Show for each source what was read of it last, and how much is still to be read."""
        require(*INSIDE, "leader", "kpi_reader", "admin")
        return piece(freshness.sources(generations.store(), clock()), query)

    return blp


def _today(now: datetime) -> str:
    return day_of(now).isoformat()


def _kpi(kpi_id: str) -> Kpi:
    found = KPIS.get(kpi_id)
    if found is None:
        raise unknown(KPI)
    return found


def _part(kpi: Kpi, part: Part) -> Part:
    if part in kpi.parts:
        return part
    parts = ", ".join(each for each in kpi.parts if each) or "-"
    raise invalid(FieldError("?part", NO_PART.format(parts=parts)))


def _stretch(query: dict[str, Any], today: str) -> Sequence[Period]:
    """The periods asked for; as many as usual up to the last one when the first is not said."""
    grain = query["grain"]
    last = query["last"] or of_day(today, grain)
    first = query["first"]
    if first is None:
        first = of_day(last.last, grain)
        for _ in range(USUAL_PERIODS[grain] - 1):
            first = previous(first) or first
    if first.first > last.last:
        raise invalid(FieldError("?from", BACKWARDS))
    periods = between(grain, first.first, last.last)
    if len(periods) > MOST_PERIODS:
        raise invalid(FieldError("?from", TOO_MANY))
    return periods
