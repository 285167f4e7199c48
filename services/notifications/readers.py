"""What this service reads of others' events: only the fields that it needs, unknown ones are ignored."""

from datetime import date, datetime

import msgspec


class ParticipantSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An employee in a batch. promoted: accepted off the waiting list."""

    id: str
    batch_id: str
    employee_id: str
    state: str
    promoted: bool = False


class PairingSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A guide and a learner who work on one competency."""

    id: str
    kind: str
    guide_id: str
    learner_id: str
    competency: str
    target_level: int
    due_on: date
    state: str


class SessionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One meeting of a pairing. held_at: when it last became `held`, which asks the learner anew."""

    id: str
    guide_id: str
    learner_id: str
    kind: str
    competency: str
    status: str
    started_at: datetime
    minutes: int
    held_at: datetime | None = None


class EndorsementSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's word on a level. at: when the assessed session took place. Without endorser it is HR's."""

    id: str
    session_id: str
    learner_id: str
    competency: str
    level: int
    state: str
    at: datetime
    endorser_id: str | None = None


class BatchSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A training of representatives, as its participants are told about it."""

    id: str
    name: str
    starts_on: date
    ends_on: date
    venue: str


class CompetencySeen(msgspec.Struct, frozen=True, kw_only=True):
    """A competency's names."""

    code: str
    name: str
    name_en: str | None = None


class PersonSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A person's name and mail address."""

    id: str
    name: str
    email: str | None = None


Subject = ParticipantSeen | PairingSeen | SessionSeen | EndorsementSeen
"""What an entry can be about."""
