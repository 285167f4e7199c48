"""The ledger, opened: where everybody was, what they could do and what they were credited, day by day."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from demo.ledger import Ledger, PersonFact, SessionFact
from demo.recount.periods import Period, day_of

JP_AN_ACTIVITY = 2
ACTIVITIES_A_MONTH = 2
LEAST_MINUTES = 30
TABLE_FROM = date(2018, 1, 1)


@dataclass(frozen=True)
class CreditEntry:
    """JP that somebody got for a session or a certificate."""

    person: str
    day: date
    jp: int


@dataclass(frozen=True)
class SkillEntry:
    """A level from a day on; `endorsement` where it was mastered in a pairing."""

    person: str
    competency: str
    level: int
    day: date
    endorsement: str | None


@dataclass(frozen=True)
class Books:
    """Answers simple questions about the ledger."""

    ledger: Ledger
    _staff: dict[date, dict[str, list[str]]] = field(default_factory=dict)

    def within(self, code: str | None, unit: str) -> bool:
        """Whether a unit is that unit or lies below it."""
        while code is not None:
            if code == unit:
                return True
            code = self.ledger.units[code].parent
        return False

    def unit_on(self, person: str, day: date) -> str | None:
        """The unit in which somebody was on that day; None before the first."""
        found = None
        for since, unit in self.ledger.people[person].units:
            if since <= day:
                found = unit
        return found

    def in_unit_on(self, person: str, day: date, unit: str) -> bool:
        """Whether somebody was in that unit or below it on that day."""
        return self.within(self.unit_on(person, day), unit)

    def active(self, unit: str, period: Period) -> set[str]:
        """Those who were in the unit or below it on any day of the period."""
        return {person.id for person in self.ledger.people.values() if self._was_in(person, unit, period)}

    def _was_in(self, person: PersonFact, unit: str, period: Period) -> bool:
        starts = [since for since, _ in person.units]
        ends = [*starts[1:], date.max]
        return any(
            since <= period.last and period.first < until and self.within(code, unit)
            for (since, code), until in zip(person.units, ends, strict=True)
        )

    def sessions(self, unit: str, period: Period) -> list[SessionFact]:
        """Sessions of the period whose learner was in the unit or below it on that day."""
        return [
            session
            for session in self.ledger.sessions.values()
            if period.holds(day_of(session.started_at))
            and self.in_unit_on(session.learner, day_of(session.started_at), unit)
        ]

    @cached_property
    def credits(self) -> list[CreditEntry]:
        """Everybody's JP by the table: two an activity, two a month and kind, thirty minutes at least."""
        entries = [*self._certificates()]
        months: dict[tuple[str, str, int, int], list[SessionFact]] = defaultdict(list)
        for session in self.ledger.sessions.values():
            day = day_of(session.started_at)
            if session.status == "confirmed" and session.minutes >= LEAST_MINUTES and day >= TABLE_FROM:
                months[session.learner, session.kind, day.year, day.month].append(session)
        for (learner, *_), held in months.items():
            first = sorted(held, key=lambda session: session.started_at)[:ACTIVITIES_A_MONTH]
            entries += [CreditEntry(learner, day_of(each.started_at), JP_AN_ACTIVITY) for each in first]
        return entries

    def _certificates(self) -> list[CreditEntry]:
        jp = self.ledger.batches[0].jp
        return [
            CreditEntry(fact.person, day_of(fact.certified_at), jp)
            for fact in self.ledger.participants.values()
            if fact.certified_at is not None
        ]

    @cached_property
    def skills(self) -> dict[tuple[str, str], list[SkillEntry]]:
        """Levels by person and competency, in order of their days."""
        found: dict[tuple[str, str], list[SkillEntry]] = defaultdict(list)
        for skill in self.ledger.skills:
            entry = SkillEntry(skill.person, skill.competency, skill.level, day_of(skill.since), None)
            found[skill.person, skill.competency].append(entry)
        for mastery in self.ledger.masteries:
            entry = SkillEntry(
                mastery.learner, mastery.competency, mastery.level, day_of(mastery.at), mastery.endorsement
            )
            found[mastery.learner, mastery.competency].append(entry)
        return {key: sorted(entries, key=lambda entry: entry.day) for key, entries in found.items()}

    def level_on(self, person: str, competency: str, day: date) -> int:
        """The level that somebody had at the end of that day."""
        levels = [entry.level for entry in self.skills.get((person, competency), ()) if entry.day <= day]
        return levels[-1] if levels else 0

    def staff_on(self, unit: str, day: date) -> list[str]:
        """The people of exactly that unit on that day."""
        if day not in self._staff:
            groups: dict[str, list[str]] = defaultdict(list)
            for person in self.ledger.people:
                groups[self.unit_on(person, day) or ""].append(person)
            self._staff[day] = groups
        return self._staff[day].get(unit, [])
