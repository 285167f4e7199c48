"""Nobody sits in two sessions at once: half-hour slots for the index, exact minutes for the verdict."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from .session import Session

SLOT_SECONDS = 1800
LEAST_OVERLAP = timedelta(minutes=5)


def slots_of(session: Session) -> list[bytes]:
    """One key of 20 bytes for each person and half hour that the session takes up; none unless it counts.

    A last half hour of which it takes less than LEAST_OVERLAP is left out. Two sessions of one person that overlap
    by that much or more always share a key; those that share a key need not overlap.
    """
    if not session.counting:
        return []
    first, last = _slot(session.started_at), _slot(session.ends_at - LEAST_OVERLAP)
    stamps = [number.to_bytes(4, "big") for number in range(first, last + 1)]
    people = [bytes.fromhex(person.replace("-", "")) for person in session.people]
    return [person + stamp for person in people for stamp in stamps]


def _slot(instant: datetime) -> int:
    return int(instant.timestamp()) // SLOT_SECONDS


def clashes(session: Session, other: Session) -> bool:
    """Whether both count, share a person, and overlap by 5 minutes or more."""
    if session.id == other.id or not (session.counting and other.counting):
        return False
    if set(session.people).isdisjoint(other.people):
        return False
    shared = min(session.ends_at, other.ends_at) - max(session.started_at, other.started_at)
    return shared >= LEAST_OVERLAP


def clash(session: Session, others: Iterable[Session]) -> Session | None:
    """The first of the others that the session clashes with."""
    return next((other for other in others if clashes(session, other)), None)
