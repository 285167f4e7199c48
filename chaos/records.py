"""What is stored, published and mailed in the end, read from where it lies."""

from collections import Counter
from typing import NamedTuple

from chaos.rig import Rig
from infra.local.mailbox import Mailbox
from infra.local.system import FRESH
from infra.messaging import kafka
from infra.messaging.topics import partitions_of
from infra.storage.mongo import Document, connect

COUNTING = ("held", "confirmed", "disputed")
LET_PASS_MINUTES = 5


class Kept(NamedTuple):
    """A session as far as it is compared."""

    status: str
    minutes: int
    version: int


def stored_sessions(rig: Rig) -> list[Document]:
    """All sessions of the database, without the words in them."""
    fields = {"status": 1, "minutes": 1, "version": 1, "started_at": 1, "guide_id": 1, "learner_id": 1}
    return list(connect(rig.settings("sessions"))["sessions"].find({}, fields))


def overlaps(sessions: list[Document]) -> int:
    """How many pairs of counting sessions of one person overlap by five minutes or more."""
    found = 0
    by_person: dict[str, list[tuple[float, float]]] = {}
    for each in sessions:
        if each["status"] in COUNTING:
            begin = each["started_at"].timestamp() / 60
            for person in (each["guide_id"], each["learner_id"]):
                by_person.setdefault(person, []).append((begin, begin + each["minutes"]))
    for times in by_person.values():
        times.sort()
        for number, (_, end) in enumerate(times):
            for begin, other_end in times[number + 1 :]:
                if begin >= end:
                    break
                found += min(end, other_end) - begin >= LET_PASS_MINUTES
    return found


def stored_events(rig: Rig, service: str) -> set[str]:
    """The ids of all events for the service's own topic that its documents carry, archived ones included."""
    ids: set[str] = set()
    for each in rig.aggregates(service):
        for document in each.collection.find({}, {"events.id": 1, "events.topic": 1}):
            ids.update(event["id"] for event in document["events"] if "topic" not in event)
        rows = each.archive.find({"event.topic": {"$exists": False}}, {"_id": 1})
        ids.update(row["_id"] for row in rows)
    return ids


def published_events(rig: Rig, service: str) -> Counter[str]:
    """How often each event of the service lies in its own topic; poison left out."""
    settings = rig.settings(service)
    places = partitions_of(settings, f"{service}.events")
    headers = (dict(record.headers) for record in kafka.records(settings, *places))
    ours = f"/{service}".encode()
    return Counter(each["ce_id"].decode() for each in headers if each["ce_source"] == ours)


class Mails(NamedTuple):
    """Mails by what was promised of them.

    repeats: further copies under the same Message-ID, which a mail program shows once. foreign: under no
    delivery's Message-ID. missing: deliveries said to be sent of which there is no mail. doubled: deliveries of
    which there are two for one occasion.
    """

    sent: int
    repeats: int
    foreign: int
    missing: int
    doubled: int


def mails(rig: Rig) -> Mails:
    """Compares the mail box with the deliveries."""
    deliveries = list(connect(rig.settings("notifications"))["deliveries"].find({}, {"state": 1, "entry_id": 1}))
    known = {each["_id"] for each in deliveries}
    box = Mailbox(rig.home / FRESH / "mail")
    arrived = Counter(summary.message_id.strip("<>").partition("@")[0] for summary in box.find(limit=10_000_000))
    sent = {each["_id"] for each in deliveries if each["state"] == "sent"}
    occasions = Counter(each["entry_id"] for each in deliveries)
    return Mails(
        sent=len(arrived),
        repeats=arrived.total() - len(arrived),
        foreign=len(arrived.keys() - known),
        missing=len(sent - arrived.keys()),
        doubled=sum(count - 1 for count in occasions.values()),
    )
