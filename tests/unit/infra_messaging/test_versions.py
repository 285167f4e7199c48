"""Versions of an event: made of what is stored, handled as one."""

import msgspec

from infra.messaging.envelope import Event
from infra.messaging.subscription import dispatch, on
from infra.messaging.versions import FIRST, Versions, bodies
from tests.component.infra.things import NOON

BOTH: Versions = {1: None, 2: lambda data: {"colours": [data["colour"]]}}
RED = b'{"colour": "red"}'


class First(msgspec.Struct, frozen=True):
    colour: str


class Second(msgspec.Struct, frozen=True):
    colours: list[str]


def event(seq: int, version: int) -> Event:
    return Event(
        id=str(seq),
        source="enrollment",
        type="thing.made",
        version=version,
        subject="a",
        seq=seq,
        time=NOON,
        effective_at=NOON,
        key="a",
        body=dict(bodies(RED, BOTH))[version],
    )


def test_each_version_is_made_of_what_is_stored() -> None:
    """The first byte for byte; a later one by its function; one that is withdrawn not at all."""
    assert list(bodies(RED, FIRST)) == [(1, RED)]
    assert list(bodies(RED, BOTH)) == [(1, RED), (2, b'{"colours":["red"]}')]
    assert [number for number, _ in bodies(RED, {2: BOTH[2]})] == [2]


def test_a_tombstone_is_one_in_every_version() -> None:
    """Nothing can be made of nothing."""
    assert list(bodies(None, BOTH)) == [(1, None), (2, None)]


def test_who_reads_both_gets_them_in_one_batch_and_who_reads_one_is_not_interrupted() -> None:
    """Two versions sent in turn don't turn batches into single events."""
    runs: list[int] = []

    def note(items: list[tuple[Event, First]] | list[tuple[Event, Second]]) -> None:
        runs.append(len(items))

    events = [event(seq, version) for seq in (1, 2, 3) for version in (1, 2)]
    dispatch([on("thing", First, note), on("thing", Second, note, version=2)])(events)
    dispatch([on("thing", First, note)])(events)
    assert runs == [6, 3]
