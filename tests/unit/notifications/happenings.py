"""Events of other services as this one reads them, for tests."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from infra.messaging.envelope import Event, derived_id
from services.notifications.readers import (
    BatchSeen,
    CompetencySeen,
    EndorsementSeen,
    PairingSeen,
    ParticipantSeen,
    PersonSeen,
    SessionSeen,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""Ten in the morning in Tangerang."""

GUIDE, LEARNER, ENDORSER, STRANGER = (str(uuid.UUID(int=number, version=4)) for number in range(1, 5))
BATCH, PARTICIPANT, PAIRING, SESSION, ENDORSEMENT = (
    str(uuid.UUID(int=number, version=4)) for number in range(11, 16)
)
LETTERS = "menyusun-surat-dinas"

Happening = tuple[Event, Any]


def event(type_: str, subject: str, seen: msgspec.Struct | None, seq: int = 1, time: datetime = NOW) -> Event:
    """An event with this data, None for a tombstone."""
    source = "sessions" if type_.startswith(("session.", "endorsement.")) else "enrollment"
    topic = "enrollment.people" if type_.startswith("person.") else f"{source}.events"
    return Event(
        id=derived_id(type_.split(".", maxsplit=1)[0], subject, str(seq)),
        source=source,
        type=type_,
        version=1,
        subject=subject,
        seq=seq,
        time=time,
        effective_at=time,
        key=subject,
        body=None if seen is None else msgspec.json.encode(seen),
        topic=topic,
    )


def participant(
    type_: str, state: str, seq: int = 1, time: datetime = NOW, employee: str = LEARNER, *, promoted: bool = False
) -> Happening:
    """Something happened to the employee in the batch."""
    seen = ParticipantSeen(id=PARTICIPANT, batch_id=BATCH, employee_id=employee, state=state, promoted=promoted)
    return event(type_, PARTICIPANT, seen, seq, time), seen


def pairing(
    type_: str = "pairing.activated", state: str = "active", seq: int = 3, time: datetime = NOW
) -> Happening:
    """Something happened to the pairing of guide and learner."""
    seen = PairingSeen(
        id=PAIRING,
        kind="mentoring",
        guide_id=GUIDE,
        learner_id=LEARNER,
        competency=LETTERS,
        target_level=3,
        due_on=date(2027, 3, 31),
        state=state,
    )
    return event(type_, PAIRING, seen, seq, time), seen


def session(
    type_: str = "session.held",
    status: str = "held",
    seq: int = 1,
    held_at: datetime = NOW,
    id_: str = SESSION,
    started_at: datetime = NOW - timedelta(days=1),
    time: datetime = NOW,
) -> Happening:
    """Something happened to a session of guide and learner."""
    seen = SessionSeen(
        id=id_,
        guide_id=GUIDE,
        learner_id=LEARNER,
        kind="mentoring",
        competency=LETTERS,
        status=status,
        started_at=started_at,
        minutes=60,
        held_at=held_at,
    )
    return event(type_, id_, seen, seq, time), seen


def endorsement(
    type_: str = "endorsement.opened",
    state: str = "open",
    seq: int = 1,
    endorser: str | None = ENDORSER,
    time: datetime = NOW,
) -> Happening:
    """Something happened to the request to endorse the learner."""
    seen = EndorsementSeen(
        id=ENDORSEMENT,
        session_id=SESSION,
        learner_id=LEARNER,
        competency=LETTERS,
        level=3,
        state=state,
        at=NOW - timedelta(days=1),
        endorser_id=endorser,
    )
    return event(type_, ENDORSEMENT, seen, seq, time), seen


def person(id_: str, name: str, email: str | None = "seseorang@example.go.id", seq: int = 1) -> Happening:
    """The person has this name and address."""
    seen = PersonSeen(id=id_, name=name, email=email)
    return event("person.changed", id_, seen, seq), seen


def erased(id_: str, seq: int = 2) -> Happening:
    """The person was erased."""
    return event("person.erased", id_, None, seq), None


def batch(starts_on: date = date(2027, 5, 10), ends_on: date = date(2027, 5, 13)) -> Happening:
    """The batch as it is."""
    seen = BatchSeen(id=BATCH, name="Angkatan II", starts_on=starts_on, ends_on=ends_on, venue="Sawangan, Depok")
    return event("batch.opened", BATCH, seen), seen


def competency() -> Happening:
    """The technique of the tests."""
    seen = CompetencySeen(code=LETTERS, name="Menyusun surat dinas", name_en="Drafting official letters")
    return event("competency.created", LETTERS, seen), seen


NAMES = (
    person(GUIDE, "Oliva Situmorang", "oliva@example.go.id"),
    person(LEARNER, "Warji Uyainah", "warji@example.go.id"),
    person(ENDORSER, "Nardi Nurdiyanti", "nardi@example.go.id"),
    batch(),
    competency(),
)
"""What the others tell before anything happens: who people are, and what things are called."""
