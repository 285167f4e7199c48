"""Every version of every event that the others ever published is read, for ever."""

from pathlib import Path

import pytest

from infra.messaging.envelope import decode
from services.reporting.reactions import READERS, news_of

SERVICES = Path(__file__).parents[3] / "services"
SAMPLES = sorted(
    sample
    for service in ("enrollment", "sessions")
    for sample in (SERVICES / service / "samples").glob("*.json")
    if sample.name.split(".")[0] in READERS
)
STRUCTURED = [("content-type", b"application/cloudevents+json")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_reporting_reads_the_sample(sample: Path) -> None:
    """Through its own reader, into its own words, under the event's subject."""
    event = decode(STRUCTURED, None, sample.read_bytes())
    name = READERS[event.aggregate][0]
    told = getattr(news_of([event]), name)
    assert list(told) == [event.subject]
    assert told[event.subject][0] == event.seq


def test_there_are_samples_of_all_that_is_read() -> None:
    """None of the readers goes untested."""
    assert {sample.name.split(".")[0] for sample in SAMPLES} == set(READERS)
