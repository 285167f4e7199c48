"""How the events that were read are dealt to lanes."""

import pytest
from kafka.structs import TopicPartition

from infra.messaging.consumer import LANE_EVENTS, LANES, lanes_of


@pytest.mark.parametrize(
    ("events", "lanes"),
    [(1, 1), (LANE_EVENTS - 1, 1), (LANE_EVENTS, 2), (3 * LANE_EVENTS, 4), (99 * LANE_EVENTS, LANES)],
)
def test_more_events_have_more_lanes(events: int, lanes: int) -> None:
    """Few are handled together, which takes the fewest calls."""
    places = [TopicPartition(topic, number) for topic in ("a", "b") for number in range(6)]
    batches = {place: range(number, events, len(places)) for number, place in enumerate(places)}
    dealt = lanes_of({place: records for place, records in batches.items() if records})
    assert len(dealt) == lanes
    assert sorted(event for lane in dealt for records in lane.values() for event in records) == list(range(events))
    numbers = [{place.partition for place in lane} for lane in dealt]
    assert sum(map(len, numbers)) == len(set().union(*numbers)), "one number of a partition is in two lanes"


def test_no_lane_is_empty() -> None:
    """Whoever has two partitions only, of even numbers, has two lanes at the most."""
    batches = {TopicPartition("a", number): range(10 * LANE_EVENTS) for number in (2, 4)}
    assert all(lanes_of(batches))
