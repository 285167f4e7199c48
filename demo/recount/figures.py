"""Each figure, recounted: numerator, denominator, value, and the records that stand behind the numerator."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from demo.recount.books import Books, SkillEntry
from demo.recount.periods import Period, day_of

COVERABLE = ("agency", "district", "village")
ENOUGH_JP = 20
_FUNNEL = {
    "nominated": None,
    "accepted": ("accepted", "attended", "absent", "certified", "not_certified"),
    "attended": ("attended", "certified", "not_certified"),
    "certified": ("certified",),
}


@dataclass(frozen=True)
class Figure:
    """What a figure should be. evidence: how many records the service should show for it."""

    numerator: int
    denominator: int | None
    evidence: int

    @property
    def value(self) -> Decimal | None:
        """The quotient rounded half up to four places; the count itself where there is no denominator."""
        if self.denominator is None:
            return Decimal(self.numerator)
        if self.denominator == 0:
            return None
        return rounded(Fraction(self.numerator, self.denominator))


def rounded(exact: Fraction) -> Decimal:
    """Half up, four places, from the exact fraction."""
    whole = Decimal(exact.numerator) / Decimal(exact.denominator)
    return whole.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def recount(books: Books, unit: str, period: Period) -> dict[tuple[str, str | None], Figure]:
    """Every figure of one unit (with all below) and period, by id and part."""
    figures: dict[tuple[str, str | None], Figure] = {}
    for count in (_coverage, _funnel, _people, _sessions, _credits, _gaps):
        figures.update(count(books, unit, period))
    return figures


Figures = dict[tuple[str, str | None], Figure]


def _coverage(books: Books, unit: str, period: Period) -> Figures:
    units = books.ledger.units.values()
    all_units = {u.code for u in units if u.kind in COVERABLE and books.within(u.code, unit)}
    covered = set()
    for person in representatives(books, period.last):
        nearest = _nearest(books, books.unit_on(person, period.last))
        covered |= {nearest} & all_units
    return {("unit_coverage", None): Figure(len(covered), len(all_units), len(covered))}


def representatives(books: Books, day: date) -> set[str]:
    """Those who were certified up to that day."""
    facts = books.ledger.participants.values()
    return {f.person for f in facts if f.certified_at is not None and day_of(f.certified_at) <= day}


def _nearest(books: Books, code: str | None) -> str | None:
    while code is not None and books.ledger.units[code].kind not in COVERABLE:
        code = books.ledger.units[code].parent
    return code


def _funnel(books: Books, unit: str, period: Period) -> Figures:
    figures: Figures = {}
    batches = {b.id for b in books.ledger.batches if period.holds(b.starts_on)}
    people = [p for p in books.ledger.participants.values() if batches and books.within(p.unit, unit)]
    for part, states in _FUNNEL.items():
        count = sum(states is None or p.state in states for p in people)
        figures["training_funnel", part] = Figure(count, None, count)
    return figures


def _people(books: Books, unit: str, period: Period) -> Figures:
    reached = {s.learner for s in books.sessions(unit, period) if s.status == "confirmed"}
    active = books.active(unit, period)
    guides = [p for p in representatives(books, period.last) if books.in_unit_on(p, period.last, unit)]
    since = period.first.replace(month=1, day=1)
    jp: dict[str, int] = {}
    for credit in books.credits:
        if since <= credit.day <= period.last:
            jp[credit.person] = jp.get(credit.person, 0) + credit.jp
    enough = [person for person in active if jp.get(person, 0) >= ENOUGH_JP]
    return {
        ("reach", None): Figure(len(reached), len(active), len(reached)),
        ("multiplier", None): Figure(len(reached), len(guides), len(reached)),
        ("jp_20_share", None): Figure(len(enough), len(active), len(enough)),
    }


def _sessions(books: Books, unit: str, period: Period) -> Figures:
    counted = [s for s in books.sessions(unit, period) if s.status in ("held", "confirmed", "disputed")]
    confirmed = [s for s in counted if s.status == "confirmed"]
    figures: Figures = {("confirmation_rate", None): Figure(len(confirmed), len(counted), len(confirmed))}
    for part in (None, "coaching", "mentoring"):
        mine = [s for s in confirmed if part in (None, s.kind)]
        figures["sessions", part] = Figure(len(mine), None, len(mine))
        figures["hours", part] = Figure(sum(s.minutes for s in mine), 60, len(mine))
    return figures


def _credits(books: Books, unit: str, period: Period) -> Figures:
    given = [
        credit
        for credit in books.credits
        if period.holds(credit.day) and books.in_unit_on(credit.person, credit.day, unit)
    ]
    total = sum(credit.jp for credit in given)
    return {("jp_mean", None): Figure(total, len(books.active(unit, period)), len(given))}


def _gaps(books: Books, unit: str, period: Period) -> Figures:
    """Open: people still missing at the end. Closed: masteries that lift somebody to what the own unit needs."""
    missing = [gap for gap in gaps(books, unit, period.last) if gap > 0]
    closed = sum(
        _closes(books, entry.person, entry.competency, entry.day, unit) for entry in _masteries(books, period)
    )
    return {
        ("gaps_open", None): Figure(sum(missing), None, sum(missing)),
        ("gaps_closed", None): Figure(closed, None, closed),
    }


def gaps(books: Books, unit: str, day: date) -> list[int]:
    """How many people each need of the unit and below lacks at the end of that day."""
    lacking = []
    for need in books.ledger.needs:
        if day_of(need.since) <= day and books.within(need.unit, unit):
            staff = books.staff_on(need.unit, day)
            have = sum(books.level_on(person, need.competency, day) >= need.level for person in staff)
            lacking.append(max(0, need.people - have))
    return lacking


def _masteries(books: Books, period: Period) -> list[SkillEntry]:
    entries = [entry for group in books.skills.values() for entry in group]
    return [entry for entry in entries if entry.endorsement is not None and period.holds(entry.day)]


def _closes(books: Books, person: str, competency: str, day: date, unit: str) -> bool:
    own = books.unit_on(person, day)
    history = books.skills[person, competency]
    before = [entry.level for entry in history if entry.endorsement is None]
    reached = next(entry.level for entry in history if entry.endorsement is not None)
    return any(
        need.unit == own
        and need.competency == competency
        and day_of(need.since) <= day
        and (before[-1] if before else 0) < need.level <= reached
        and books.within(own, unit)
        for need in books.ledger.needs
    )
