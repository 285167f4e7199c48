"""Figures as they are told: rows with their period before, series over time, withheld where they must be."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.problems import Language
from services.reporting.access import Sight
from services.reporting.domain.periods import GRAINS, Period, between, previous
from services.reporting.domain.withholding import withheld
from services.reporting.figures import Figures, Numbers
from services.reporting.kpis import KPIS, Figure, Kpi, Part, figure, name_of, people_in
from services.reporting.wording import label_of

Row = dict[str, Any]
Hides = Callable[[Kpi, Part, Period], bool]
"""Whether a figure of a period is withheld."""


class Reports:
    """Makes rows of one generation's numbers."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def kpis(self, seen: Sight, period: Period, as_of: datetime, language: Language) -> list[Row]:
        """Every figure of the unit in the period, a row for each part."""
        earlier = previous(period)
        sources = {source for kpi in KPIS.values() for source in kpi.sources}
        periods = [period] if earlier is None else [period, earlier]
        numbers = self._figures.numbers(seen.scope, sources, periods)
        hides = self._hides(seen, KPIS.values(), periods)
        rows: list[Row] = []
        for kpi in KPIS.values():
            for part in kpi.parts:
                hide = hides(kpi, part, period)
                before = None
                if earlier and not hide and not hides(kpi, part, earlier):
                    before = _plain(figure(kpi, part, numbers[earlier.key]).value)
                rows.append(
                    {
                        "id": kpi.id,
                        "part": part,
                        "name": name_of(kpi, part).say(language),
                        "period": period.key,
                        "unit": seen.scope.unit,
                        "measure": kpi.measure,
                        "target": None,
                        "previous": before,
                        "as_of": as_of,
                        **_shown(figure(kpi, part, numbers[period.key]), hide=hide),
                    }
                )
        return rows

    def series(
        self, seen: Sight, kpi: Kpi, part: Part, periods: Sequence[Period], language: Language
    ) -> list[Row]:
        """One figure over periods of one grain, in their order."""
        numbers = self._figures.numbers(seen.scope, kpi.sources, periods)
        hides = self._hides(seen, [kpi], periods)
        return [
            {
                "key": period.key,
                "label": label_of(period).say(language),
                **_shown(figure(kpi, part, numbers[period.key]), hide=hides(kpi, part, period)),
            }
            for period in periods
        ]

    def _hides(self, seen: Sight, kpis: Iterable[Kpi], periods: Sequence[Period]) -> Hides:
        """What is withheld of these figures: by their whole years, so that every question has the same answer."""
        if not seen.outside:
            return lambda _kpi, _part, _period: False
        about = [kpi for kpi in kpis if kpi.people]
        sources = {source for kpi in about for source in kpi.sources}
        first, last = min(each.first for each in periods), max(each.last for each in periods)
        years = between("year", first, last)
        counts: dict[str, Numbers] = {}
        for grain in GRAINS:
            counts |= self._figures.numbers(seen.scope, sources, between(grain, years[0].first, years[-1].last))
        hidden = withheld(counts, {name for kpi in about for name in kpi.people}, years)
        return lambda kpi, part, period: any((period.key, name) in hidden for name in people_in(kpi, part))


def _shown(made: Figure, *, hide: bool) -> Row:
    return {
        "value": None if hide else _plain(made.value),
        "numerator": None if hide else made.numerator,
        "denominator": None if hide else made.denominator,
        "withheld": hide,
    }


def _plain(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value
