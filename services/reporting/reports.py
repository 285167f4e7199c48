"""Figures as they are told: rows with their period before, series over time, withheld where they must be."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.problems import Language
from services.reporting.access import Sight
from services.reporting.domain.periods import Period, previous
from services.reporting.domain.withholding import is_small, withheld
from services.reporting.figures import Figures
from services.reporting.kpis import KPIS, Figure, Kpi, Part, amounts, figure, name_of
from services.reporting.wording import label_of

Row = dict[str, Any]


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
        rows: list[Row] = []
        for kpi in KPIS.values():
            made = [figure(kpi, part, numbers[period.key]) for part in kpi.parts]
            hidden = _hidden(kpi, made, seen)
            for part, each, hide in zip(kpi.parts, made, hidden, strict=True):
                before = figure(kpi, part, numbers[earlier.key]) if earlier else None
                rows.append(
                    {
                        "id": kpi.id,
                        "part": part,
                        "name": name_of(kpi, part).say(language),
                        "period": period.key,
                        "unit": seen.scope.unit,
                        "measure": kpi.measure,
                        "target": None,
                        "previous": _previous(kpi, before, seen, hide=hide),
                        "as_of": as_of,
                        **_shown(each, hide=hide),
                    }
                )
        return rows

    def series(
        self, seen: Sight, kpi: Kpi, part: Part, periods: Sequence[Period], language: Language
    ) -> list[Row]:
        """One figure over periods of one grain, in their order."""
        numbers = self._figures.numbers(seen.scope, kpi.sources, periods)
        made = [figure(kpi, part, numbers[period.key]) for period in periods]
        return [
            {
                "key": period.key,
                "label": label_of(period).say(language),
                **_shown(each, hide=hide),
            }
            for period, each, hide in zip(periods, made, _hidden(kpi, made, seen), strict=True)
        ]


def _hidden(kpi: Kpi, siblings: Sequence[Figure], seen: Sight) -> list[bool]:
    if not seen.outside:
        return [False] * len(siblings)
    return withheld([amounts(kpi, each) for each in siblings])


def _shown(made: Figure, *, hide: bool) -> Row:
    return {
        "value": None if hide else _plain(made.value),
        "numerator": None if hide else made.numerator,
        "denominator": None if hide else made.denominator,
        "withheld": hide,
    }


def _previous(kpi: Kpi, before: Figure | None, seen: Sight, *, hide: bool) -> float | int | None:
    if before is None or hide or (seen.outside and is_small(amounts(kpi, before))):
        return None
    return _plain(before.value)


def _plain(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value
