"""Collections, indexes and queries."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from pymongo import InsertOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from infra.problems import Text
from infra.storage.aggregates import Aggregates, Stored
from infra.storage.copies import Copies
from infra.storage.failures import only_duplicates
from infra.storage.mongo import Document, patient
from services.notifications.domain import ASKING, KINDS, Delivery, Entry, Preferences
from services.notifications.events import delivery_data, preferences_data
from services.notifications.wording import Batch, Names

KNOWN: Mapping[str, Any] = {"kind": {"$in": list(KINDS)}}
"""What this release can read: a later one that was here before may have left other kinds, to be done by it."""


class Notes(NamedTuple):
    """What the sender keeps beside a delivery, without a new version.

    attempts: how often the mail server was tried. next_at: when it is looked at next. members: the other
    deliveries of this person that the same mail tells.
    """

    attempts: int
    next_at: datetime
    members: tuple[str, ...]


def notes(stored: Stored[Delivery]) -> Notes:
    """The sender's notes of a delivery."""
    extra = stored.extra
    return Notes(extra["attempts"], extra["next_at"], tuple(extra["members"]))


class Store:
    """Everything that this service keeps."""

    def __init__(self, database: Database[Document]) -> None:
        self.database = database
        self.entries = database["entries"]
        self.deliveries = Aggregates(
            database["deliveries"], Delivery, topic="notifications.events", public=delivery_data
        )
        self.preferences = Aggregates(
            database["preferences"], Preferences, topic="notifications.events", public=preferences_data
        )
        self.subjects = Copies(database["subjects"])
        self.people = Copies(database["people"])
        self.batches = Copies(database["batches"])
        self.competencies = Copies(database["competencies"])

    @patient
    def ensure_indexes(self) -> None:
        """Makes all indexes; safe to repeat."""
        self.deliveries.ensure_indexes()
        self.preferences.ensure_indexes()
        self.entries.create_index([("employee_id", 1), ("at", -1), ("_id", 1)])
        self.entries.create_index([("employee_id", 1), ("read", 1), ("at", -1), ("_id", 1)])
        self.entries.create_index([("about_id", 1)], partialFilterExpression={"read": False})
        deliveries = self.deliveries.collection
        waiting = {"state": "waiting"}
        deliveries.create_index([("next_at", 1), ("_id", 1)], partialFilterExpression=waiting)
        deliveries.create_index([("about_id", 1)], partialFilterExpression=waiting, name="about_waiting")
        deliveries.create_index(
            [("employee_id", 1), ("kind", 1)], partialFilterExpression=waiting, name="person_waiting"
        )
        deliveries.create_index([("state", 1), ("at", -1), ("_id", 1)])
        deliveries.create_index([("at", -1), ("_id", 1)])
        sessions = {"type": "endorsement"}
        self.subjects.collection.create_index([("session_id", 1)], partialFilterExpression=sessions)
        self.competencies.collection.create_index("code")

    # --- entries

    def add_entries(self, entries: Iterable[Entry]) -> None:
        """Stores those that are new; one that is there stays as it is, read or unread."""
        writes = [InsertOne(entry_document(entry)) for entry in entries]
        if not writes:
            return
        try:
            self.entries.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise

    def entries_by_id(self, ids: Iterable[str]) -> dict[str, Entry]:
        """The entries with these ids."""
        return {row["_id"]: read_entry(row) for row in self.entries.find({"_id": {"$in": list(ids)}})}

    def unread_asking(self, about: Sequence[str]) -> list[Entry]:
        """Unread entries about these things that ask for something."""
        query = {"about_id": {"$in": list(about)}, "read": False, "kind": {"$in": sorted(ASKING)}}
        return [read_entry(row) for row in self.entries.find(query)]

    def mark_read(self, ids: Iterable[str], now: datetime) -> None:
        """Marks entries as read; those that are stay as they are."""
        change = {"$set": {"read": True, "updated_at": now}, "$inc": {"version": 1}}
        self.entries.update_many({"_id": {"$in": list(ids)}, "read": False}, change)

    # --- deliveries

    def delivery(self, delivery_id: str) -> Stored[Delivery] | None:
        """The delivery with this id, or None."""
        found = self.deliveries.find({"_id": delivery_id, **KNOWN})
        return found[0] if found else None

    def next_due(self, now: datetime) -> Stored[Delivery] | None:
        """The waiting delivery whose turn came first."""
        query = {"state": "waiting", "next_at": {"$lte": now}, **KNOWN}
        due = self.deliveries.find(query, sort=[("next_at", 1), ("_id", 1)], limit=1)
        return due[0] if due else None

    def due(self, now: datetime, limit: int) -> list[Stored[Delivery]]:
        """Waiting deliveries that ask for something and whose turn has come, the first ones first."""
        query = {"state": "waiting", "next_at": {"$lte": now}, "kind": {"$in": sorted(ASKING)}}
        return self.deliveries.find(query, sort=[("next_at", 1), ("_id", 1)], limit=limit)

    def waiting_about(self, about: Sequence[str]) -> list[Stored[Delivery]]:
        """Waiting deliveries about these things."""
        return self.deliveries.find({"state": "waiting", "about_id": {"$in": list(about)}, **KNOWN})

    def waiting_with(self, delivery: Delivery, limit: int) -> list[Stored[Delivery]]:
        """Other waiting deliveries of the same kind to the same person that are not in a common mail yet."""
        query = {
            "state": "waiting",
            "employee_id": delivery.employee_id,
            "kind": delivery.kind,
            "_id": {"$ne": delivery.id},
            "members": [],
        }
        return self.deliveries.find(query, sort=[("at", 1), ("_id", 1)], limit=limit)

    def note(self, ids: Sequence[str], **noted: Any) -> None:
        """Changes the sender's notes of waiting deliveries."""
        if ids:
            query = {"_id": {"$in": list(ids)}, "state": "waiting"}
            self.deliveries.collection.update_many(query, {"$set": noted})

    def put_off(self, stored: Stored[Delivery], until: datetime) -> None:
        """Lets a waiting delivery rest, unless it was hurried on since it was read."""
        unhurried = {"_id": stored.state.id, "state": "waiting", "next_at": stored.extra["next_at"]}
        self.deliveries.collection.update_one(unhurried, {"$set": {"next_at": until}})

    def hurry_for(self, people: Sequence[str], now: datetime) -> None:
        """Lets the sender look at once at all that waits for these people."""
        query = {"employee_id": {"$in": list(people)}, "state": "waiting"}
        self.deliveries.collection.update_many(query, {"$set": {"next_at": now}})

    # --- copies

    def subjects_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """What is known of the things that entries are about."""
        query = {"_id": {"$in": list(set(ids))}}
        return {row["_id"]: row for row in self.subjects.collection.find(query)}

    def endorsed(self, endorsements: Sequence[str], sessions: Sequence[str]) -> list[Document]:
        """Endorsed ones among these endorsements, or about these sessions."""
        either = [{"_id": {"$in": list(endorsements)}}, {"session_id": {"$in": list(sessions)}}]
        query = {"type": "endorsement", "state": "endorsed", "$or": either}
        return list(self.subjects.collection.find(query))

    def mail_address(self, employee_id: str) -> str | None:
        """The person's mail address, if there is one."""
        person = self.people.collection.find_one({"_id": employee_id}, {"email": 1}) or {}
        return person.get("email")

    def preferences_of(self, people: Iterable[str]) -> dict[str, Preferences]:
        """Everyone's preferences; the usual ones for those who never set any."""
        ids = set(people)
        stored = self.preferences.many(ids)
        return {id_: stored[id_].state if id_ in stored else Preferences(id=id_) for id_ in ids}

    def names_for(self, entries: Iterable[Entry]) -> Names:
        """All names that the texts of these entries need, as far as they are known."""
        people, batches, codes = set(), set(), set()
        for entry in entries:
            people |= {entry.employee_id, entry.details.other_id}
            batches.add(entry.details.batch_id)
            codes.add(entry.details.competency)
        return Names(
            people={row["_id"]: row.get("name") for row in _among(self.people, "_id", people)},
            batches={row["_id"]: msgspec.convert(row, Batch) for row in _among(self.batches, "_id", batches)},
            competencies={
                row["code"]: Text(row["name"], row["name_en"] or row["name"])
                for row in _among(self.competencies, "code", codes)
            },
        )


def _among(copies: Copies, field: str, values: set[str | None]) -> Iterable[Document]:
    wanted = [value for value in values if value is not None]
    return copies.collection.find({field: {"$in": wanted}}) if wanted else ()


def entry_document(entry: Entry) -> Document:
    """The entry as it is stored."""
    document: Document = msgspec.to_builtins(entry, builtin_types=(datetime,))
    document["_id"] = document.pop("id")
    return {**document, "version": 1, "updated_at": entry.at}


def read_entry(document: Mapping[str, Any]) -> Entry:
    """The entry in a document."""
    return msgspec.convert({**document, "id": document["_id"]}, Entry, builtin_types=(datetime,))
