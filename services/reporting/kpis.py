"""The figures by which the programme is steered: what each is made of, and how it is divided and rounded.

To add one: give it here its name, parts, numerator and denominator; when the numbers that it is made of are not
there yet, add them to what a fact contributes (`domain/contributions.py`) or to what is read (`figures.py`), and
its evidence to `evidence.py`.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

from infra.problems import Text
from services.reporting.domain.training import FUNNEL

Measure = Literal["ratio", "count", "hours", "days", "jp", "level", "index"]
Part = str | None
Numbers = Mapping[str, int]
"""The numbers of one unit and period that figures are made of; what is missing is 0."""

PLACES = Decimal("0.0001")


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. sources: the groups of numbers to be read for it. parts: None stands for the whole.

    people: the names of the numbers in it that count people; of a figure whose parts are such, those of all parts.
    """

    id: str
    name: Text
    measure: Measure
    sources: tuple[str, ...]
    numerator: Callable[[Numbers, Part], int]
    denominator: Callable[[Numbers], int] | None = None
    parts: tuple[Part, ...] = (None,)
    people: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True):
    """A numerator over a denominator (None: it has none) and the value that results."""

    numerator: int
    denominator: int | None
    value: Decimal | int | None


def divided(numerator: int, denominator: int) -> Decimal | None:
    """The quotient rounded half up to 4 places; None when the denominator is 0."""
    if denominator == 0:
        return None
    return (Decimal(numerator) / Decimal(denominator)).quantize(PLACES, ROUND_HALF_UP)


def figure(kpi: Kpi, part: Part, numbers: Numbers) -> Figure:
    """The figure that the numbers of a unit and period give."""
    numerator = kpi.numerator(numbers, part)
    if kpi.denominator is None:
        return Figure(numerator, None, numerator)
    denominator = kpi.denominator(numbers)
    return Figure(numerator, denominator, divided(numerator, denominator))


def people_in(kpi: Kpi, part: Part) -> tuple[str, ...]:
    """The counts of people that this part of the figure tells."""
    return (part,) if part in kpi.people else kpi.people


def _number(name: str) -> Callable[[Numbers, Part], int]:
    return lambda numbers, _: numbers.get(name, 0)


def _total(name: str) -> Callable[[Numbers], int]:
    return lambda numbers: numbers.get(name, 0)


def _of_kinds(suffix: str) -> Callable[[Numbers, Part], int]:
    def numerator(numbers: Numbers, part: Part) -> int:
        kinds = ("coaching", "mentoring") if part is None else (part,)
        return sum(numbers.get(kind + suffix, 0) for kind in kinds)

    return numerator


def _share_of_people(id_: str, name: Text, counted: str) -> Kpi:
    """Of the people active on any day of the period, the share that is counted under this name."""
    return Kpi(
        id=id_,
        name=name,
        measure="ratio",
        sources=(counted, "active"),
        numerator=_number(counted),
        denominator=_total("active"),
        people=(counted, "active"),
    )


_ALL = (
    Kpi(
        id="unit_coverage",
        name=Text("Cakupan unit dengan perwakilan", "Units with a representative"),
        measure="ratio",
        sources=("coverage",),
        numerator=_number("covered"),
        denominator=_total("coverable"),
    ),
    Kpi(
        id="training_funnel",
        name=Text("Alur pelatihan perwakilan", "Training of representatives"),
        measure="count",
        sources=("training",),
        numerator=lambda numbers, part: numbers.get(part or "", 0),
        parts=tuple(FUNNEL),
        people=tuple(FUNNEL),
    ),
    _share_of_people("reach", Text("Jangkauan: pegawai yang dibimbing", "Reach: people guided"), "reached"),
    Kpi(
        id="multiplier",
        name=Text("Pegawai terjangkau per perwakilan", "People reached per representative"),
        measure="index",
        sources=("reached", "coverage", "active"),  # by who is active it is judged whether the reached may be told
        numerator=_number("reached"),
        denominator=_total("representatives"),
        people=("reached", "representatives"),
    ),
    Kpi(
        id="sessions",
        name=Text("Sesi terkonfirmasi", "Confirmed sessions"),
        measure="count",
        sources=("flow",),
        numerator=_of_kinds(""),
        parts=(None, "coaching", "mentoring"),
    ),
    Kpi(
        id="hours",
        name=Text("Jam bimbingan", "Hours of guidance"),
        measure="hours",
        sources=("flow",),
        numerator=_of_kinds("_minutes"),
        denominator=lambda _: 60,
        parts=(None, "coaching", "mentoring"),
    ),
    Kpi(
        id="jp_mean",
        name=Text("Rata-rata JP per pegawai", "JP per person"),
        measure="jp",
        sources=("flow", "active"),
        numerator=_number("jp"),
        denominator=_total("active"),
        people=("active",),
    ),
    _share_of_people(
        "jp_20_share",
        Text("Pegawai dengan 20 JP atau lebih sejak 1 Januari", "People with 20 JP or more since 1 January"),
        "jp20",
    ),
    Kpi(
        id="gaps_open",
        name=Text("Kesenjangan terbuka (orang)", "Open gaps (people still missing)"),
        measure="count",
        sources=("gaps",),
        numerator=_number("gaps_open"),
        people=("gaps_open",),
    ),
    Kpi(
        id="gaps_closed",
        name=Text("Kesenjangan tertutup lewat penguasaan", "Gaps closed by mastery"),
        measure="count",
        sources=("masteries",),
        numerator=_number("gaps_closed"),
        people=("gaps_closed",),
    ),
    Kpi(
        id="confirmation_rate",
        name=Text("Tingkat konfirmasi sesi", "Share of sessions confirmed"),
        measure="ratio",
        sources=("flow",),
        numerator=_number("confirmed"),
        denominator=lambda numbers: sum(numbers.get(each, 0) for each in ("held", "confirmed", "disputed")),
    ),
)

KPIS: Mapping[str, Kpi] = {kpi.id: kpi for kpi in _ALL}
"""All figures by id, in the order in which they are shown."""

PART_NAMES: Mapping[str, Text] = {
    "coaching": Text("Coaching", "Coaching"),
    "mentoring": Text("Mentoring", "Mentoring"),
    "nominated": Text("Diusulkan", "Nominated"),
    "accepted": Text("Diterima", "Accepted"),
    "attended": Text("Hadir", "Attended"),
    "certified": Text("Bersertifikat", "Certified"),
}


def name_of(kpi: Kpi, part: Part) -> Text:
    """What people read: the name of the figure, and of its part."""
    if part is None:
        return kpi.name
    return Text(f"{kpi.name.id}: {PART_NAMES[part].id}", f"{kpi.name.en}: {PART_NAMES[part].en}")
