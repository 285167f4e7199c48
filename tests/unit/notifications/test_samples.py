"""Samples of events: our own are as published, others' can be read by our readers, for ever."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.messaging.envelope import decode
from infra.messaging.subscription import on
from services.notifications import readers
from services.notifications.events import PUBLISHED

SERVICES = Path(__file__).resolve().parents[3] / "services"
READERS: dict[str, type] = {
    "participant": readers.ParticipantSeen,
    "pairing": readers.PairingSeen,
    "session": readers.SessionSeen,
    "endorsement": readers.EndorsementSeen,
    "batch": readers.BatchSeen,
    "competency": readers.CompetencySeen,
    "person": readers.PersonSeen,
}
HEADERS = [("content-type", b"application/cloudevents+json")]


def samples(*services: str) -> list[Path]:
    return sorted(path for name in services for path in (SERVICES / name / "samples").glob("*.json"))


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published.name)
def test_each_of_our_events_has_a_sample_that_its_schema_accepts(published: Any) -> None:
    """What readers elsewhere are tested with is what is really sent."""
    sample = json.loads((SERVICES / "notifications" / "samples" / f"{published.name}.json").read_text())
    assert sample["type"] == published.full_type
    assert published.schema.load(sample["data"])


@pytest.mark.parametrize("path", samples("enrollment", "sessions"), ids=lambda path: path.stem)
def test_we_can_read_what_others_send(path: Path) -> None:
    """All of it that concerns us, in the version that we read; the others are passed over."""
    event = decode(HEADERS, None, path.read_bytes())
    reader = READERS.get(event.aggregate)
    if reader is None or event.version != 1 or event.body is None:
        return
    seen = on(event.aggregate, reader, lambda items: None).read(event)
    assert getattr(seen, "id", None) in (event.subject, None)
