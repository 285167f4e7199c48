"""The records that our relay would send, byte for byte."""

from typing import NamedTuple

from infra.messaging.envelope import Headers, to_headers
from infra.settings import Settings
from infra.storage.mongo import connect


class Record(NamedTuple):
    """What kafka-python is given."""

    key: bytes
    value: bytes
    headers: Headers


def records_of(settings: Settings) -> list[Record]:
    """The events of all sessions in the database, as records."""
    records = []
    for document in connect(settings)["sessions"].find({}, {"events": 1}):
        for event in document["events"]:
            key = event["key"].encode()
            headers = to_headers(event, source=settings.service, subject=document["_id"], key=key)
            records.append(Record(key, event["body"], headers))
    return records
