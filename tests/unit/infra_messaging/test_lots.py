"""How the events that were read are dealt to lots."""

import pytest
from kafka.structs import TopicPartition

from infra.messaging.consumer import LOT_EVENTS, LOTS, lots_of


@pytest.mark.parametrize(
    ("events", "lots"),
    [(1, 1), (LOT_EVENTS - 1, 1), (LOT_EVENTS, 2), (99 * LOT_EVENTS, LOTS)],
)
def test_many_events_have_several_lots(events: int, lots: int) -> None:
    """Few are handled together, which takes the fewest calls."""
    places = [TopicPartition(topic, number) for topic in ("a", "b") for number in range(6)]
    batches = {place: range(number, events, len(places)) for number, place in enumerate(places)}
    dealt = lots_of({place: records for place, records in batches.items() if records})
    assert len(dealt) == lots
    assert sorted(event for lot in dealt for records in lot.values() for event in records) == list(range(events))
    numbers = [{place.partition for place in lot} for lot in dealt]
    assert sum(map(len, numbers)) == len(set().union(*numbers)), "one number of a partition is in two lots"


@pytest.mark.parametrize(("partitions", "lots"), [([2, 4], 2), ([3], 1), ([], 0)])
def test_lots_are_as_even_as_they_can_be_and_none_is_empty(partitions: list[int], lots: int) -> None:
    """Whichever partitions this worker has."""
    batches = {TopicPartition("a", number): range(10 * LOT_EVENTS) for number in partitions}
    assert [len(lot) for lot in lots_of(batches)] == [1] * lots
