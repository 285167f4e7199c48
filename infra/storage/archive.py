"""Where the old events of long-lived aggregates go, so that no document grows without end."""

from typing import Any

from pymongo import InsertOne

from infra.storage.aggregates import Aggregates

KEPT_EVENTS = 200
"""Sent events beyond this number move from the document to the archive."""


def archive_events(aggregates: Aggregates[Any], id_: Any) -> None:
    """Moves the sent events of one document, but for the last few, to the archive collection."""
    document = aggregates.collection.find_one({"_id": id_}, {"events": 1, "sent": 1})
    if document is None:
        return
    last = document["sent"] - KEPT_EVENTS // 2
    old = [event for event in document["events"] if event["seq"] <= last]
    if not old:
        return
    rows = [{"_id": event["id"], "aggregate": id_, "seq": event["seq"], "event": event} for event in old]
    known = {row["_id"] for row in aggregates.archive.find({"_id": {"$in": [r["_id"] for r in rows]}}, {"_id": 1})}
    if missing := [InsertOne(row) for row in rows if row["_id"] not in known]:
        aggregates.archive.bulk_write(missing)
    aggregates.collection.update_one({"_id": id_}, {"$pull": {"events": {"seq": {"$lte": last}}}})
