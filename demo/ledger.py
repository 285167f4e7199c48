"""What was posted and what the services answered: the demo's own record, from which the recount is made."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class UnitFact:
    """A unit that enrollment has taken."""

    code: str
    kind: str
    parent: str | None


@dataclass
class PersonFact:
    """An employee by id. units: (first day, unit), in order; the first day is also that of entry."""

    id: str
    units: list[tuple[date, str]]


@dataclass(frozen=True)
class SkillFact:
    """A level that holds from an instant on."""

    person: str
    competency: str
    level: int
    since: datetime


@dataclass(frozen=True)
class NeedFact:
    """A unit's need, from an instant on."""

    unit: str
    competency: str
    people: int
    level: int
    since: datetime


@dataclass
class ParticipantFact:
    """A participant in the state that was answered last; `certified_at` is when it took effect."""

    id: str
    person: str
    unit: str
    state: str
    certified_at: datetime | None = None


@dataclass(frozen=True)
class BatchFact:
    """The batch: its first day decides where the funnel counts, `jp` is what a certificate credits."""

    id: str
    starts_on: date
    jp: int


@dataclass
class SessionFact:
    """A session that was stored, in the status that was answered last."""

    id: str
    pairing: str
    learner: str
    kind: str
    started_at: datetime
    minutes: int
    status: str


@dataclass(frozen=True)
class MasteryFact:
    """An endorsement that was given: the learner has the level from the session's start on."""

    endorsement: str
    learner: str
    competency: str
    level: int
    at: datetime


@dataclass(frozen=True)
class Refusal:
    """A request that a service turned down. expected: the rule that the story foresaw."""

    who: str
    what: str
    expected: str
    rule: str


@dataclass
class Ledger:
    """Everything that happened, by the callers' own books."""

    units: dict[str, UnitFact] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, PersonFact] = field(default_factory=dict)
    skills: list[SkillFact] = field(default_factory=list)
    needs: list[NeedFact] = field(default_factory=list)
    batches: list[BatchFact] = field(default_factory=list)
    participants: dict[str, ParticipantFact] = field(default_factory=dict)
    pairings: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, SessionFact] = field(default_factory=dict)
    masteries: list[MasteryFact] = field(default_factory=list)
    declined: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    sent_again: int = 0
    repeats_unchanged: int = 0

    def refused_by_rule(self) -> Counter[str]:
        """How often each rule said no."""
        return Counter(refusal.rule for refusal in self.refusals)

    def surprises(self) -> list[Refusal]:
        """Requests that were answered otherwise than the story foresaw."""
        return [refusal for refusal in self.refusals if refusal.rule != refusal.expected]
