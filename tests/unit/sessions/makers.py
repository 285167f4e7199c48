"""Ready-made people, pairings and sessions for the tests of the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.actor import Actor
from services.sessions.domain.copies import Employee, Pairing, PairingStep, Placement
from services.sessions.domain.session import Content, Session, record

GUIDE = "11111111-1111-4111-8111-111111111111"
LEARNER = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
PAIRING_ID = "44444444-4444-4444-8444-444444444444"
SESSION_ID = "55555555-5555-4555-8555-555555555555"

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""Monday 09:00 in Tangerang."""

NOW = START + timedelta(hours=2)

THE_GUIDE = Actor(GUIDE, frozenset({"employee"}))
THE_LEARNER = Actor(LEARNER, frozenset({"employee"}))
HR = Actor("66666666-6666-4666-8666-666666666666", frozenset({"hr"}))


def pairing(*steps: tuple[str, datetime], **changes: Any) -> Pairing:
    """A mentoring pairing, active since a month before START unless its steps are given."""
    history = steps or (("active", START - timedelta(days=30)),)
    fields: dict[str, Any] = {
        "id": PAIRING_ID,
        "kind": "mentoring",
        "guide_id": GUIDE,
        "learner_id": LEARNER,
        "competency": "menyusun-surat-dinas",
        "target_level": 3,
        "state": history[-1][0],
        "history": tuple(PairingStep(state=state, at=at) for state, at in history),
    }
    return Pairing(**(fields | changes))


def content(**changes: Any) -> Content:
    """A held session of an hour at START."""
    fields: dict[str, Any] = {
        "pairing_id": PAIRING_ID,
        "status": "held",
        "started_at": START,
        "minutes": 60,
        "place": "in_person",
    }
    return Content(**(fields | changes))


def session(id_: str = SESSION_ID, *, now: datetime = NOW, **changes: Any) -> Session:
    """A recorded session with the given content."""
    written = content(**changes)
    return record(id_, written, pairing(("active", START - timedelta(days=3650))), GUIDE, now)


def employee(id_: str, supervisor: str | None, *, active: bool = True) -> Employee:
    """An employee who has had one supervisor since long ago."""
    long_ago = START - timedelta(days=3650)
    return Employee(
        id=id_,
        active=active,
        history=(Placement(since=long_ago, unit="SETDA", supervisor_id=supervisor, active=active),),
    )
