"""What waits to be sent: how it is found, and how what was sent is made to wait again."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.clock import Clock
from infra.storage.aggregates import LANES, Aggregates

UNSENT: Mapping[str, Any] = {"unsent.lane": {"$gte": 0}}
POSTPONED_LANE = 2
"""Of what waits until `unsent.at`. In the others that time gives but the order: clocks of machines differ."""
WAITING = {"live": LANES["live"], "bulk": LANES["bulk"], "postponed": POSTPONED_LANE}
DUE: Mapping[str, Any] = {"unsent.lane": {"$gte": 0, "$lt": POSTPONED_LANE}}

PORTION = 5_000
"""Documents that are marked in one call, which has to end within its time."""


def waiting(aggregates: Aggregates[Any]) -> dict[str, int]:
    """How many documents of one collection have events that wait to be sent, by lane."""
    by_lane = {"$group": {"_id": "$unsent.lane", "n": {"$sum": 1}}}
    counted = {
        row["_id"]: row["n"] for row in aggregates.collection.aggregate([{"$match": dict(UNSENT)}, by_lane])
    }
    return {lane: counted.get(number, 0) for lane, number in WAITING.items()}


def resend(
    aggregates: Aggregates[Any],
    query: Mapping[str, Any],
    clock: Clock,
    *,
    after_portion: Callable[[], None] = lambda: None,
) -> int:
    """Marks the aggregates that match to have their events sent again, behind live ones; gives their number.

    Only the events in the document are sent: the last one carries the whole public state. Any number can be
    marked, since it goes by portions; what `after_portion` raises ends it.
    """
    collection = aggregates.collection
    again = {"$set": {"sent": 0, "unsent": {"lane": LANES["bulk"], "at": clock()}}}
    count, rest = 0, dict(query)
    while portion := [each["_id"] for each in collection.find(rest, {"_id": 1}).sort("_id", 1).limit(PORTION)]:
        count += collection.update_many({"_id": {"$in": portion}}, again).modified_count
        rest = {"$and": [dict(query), {"_id": {"$gt": portion[-1]}}]}
        after_portion()
    return count
