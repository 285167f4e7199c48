"""What documents say about the events that they carry."""

from collections.abc import Sequence
from typing import Any

from infra.messaging.unsent import UNSENT
from infra.storage.aggregates import Aggregates


def unsent(aggregates: Sequence[Aggregates[Any]]) -> int:
    """How many documents have something to send."""
    return sum(each.collection.count_documents(UNSENT) for each in aggregates)


def event_ids(aggregates: Sequence[Aggregates[Any]]) -> set[str]:
    """The ids of all events that documents carry; none of these has so many that some are archived."""
    documents = (document for each in aggregates for document in each.collection.find({}, {"events.id": 1}))
    return {event["id"] for document in documents for event in document["events"]}
