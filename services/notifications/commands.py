"""Use cases: load, decide, save once."""

from collections.abc import Mapping
from typing import Any

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import Text, needs_version, stale, unknown
from infra.storage.aggregates import Change, Exists, Stale, Stored
from services.notifications import domain
from services.notifications.domain import Delivery, Preferences
from services.notifications.schemas import preferences_as_sent
from services.notifications.store import KNOWN, Store

ENTRY = Text("Pesan", "The message")
DELIVERY = Text("Pengiriman", "The delivery")


class Commands:
    """What people may do here."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(self, actor: Actor, entry_id: str) -> Mapping[str, Any]:
        """Marks an entry of one's own inbox as read; gives its document. Raises Refused 404."""
        self.own_entry(actor, entry_id)
        self._store.mark_read([entry_id], self._clock())
        return self.own_entry(actor, entry_id)

    def own_entry(self, actor: Actor, entry_id: str) -> Mapping[str, Any]:
        """The document of an entry. Raises Refused 404 when there is none, or it is somebody else's."""
        document = self._store.entries.find_one({"_id": entry_id, "employee_id": actor.sub, **KNOWN})
        if document is None:
            raise unknown(ENTRY)
        return document

    def delivery(self, delivery_id: str) -> Stored[Delivery]:
        """The delivery. Raises Refused 404."""
        stored = self._store.delivery(delivery_id)
        if stored is None:
            raise unknown(DELIVERY)
        return stored

    def retry(self, actor: Actor, delivery_id: str) -> Stored[Delivery]:
        """Puts a failed delivery back into the queue. Raises Refused `transition`, `too-old`."""
        stored = self.delivery(delivery_id)
        now = self._clock()
        after = domain.retried(stored.state, now)
        if after == stored.state:
            return stored
        change = Change(type="delivery.retried", actor=actor, at=now, effective_at=now)
        try:
            return self._store.deliveries.replace(stored, after, change, extra={"next_at": now})
        except Stale:
            return self.retry(actor, delivery_id)

    def set_preferences(
        self, actor: Actor, wanted: Preferences, based_on: int | None
    ) -> tuple[Stored[Preferences], bool]:
        """Saves one's preferences; True with it when they were the first. Version 0 stands for the usual ones.

        Raises Refused 412 when they changed since `based_on`, 428 when nothing is said of what they are based on.
        """
        now = self._clock()
        change = Change(type="preferences.changed", actor=actor, at=now, effective_at=now)
        stored = self._store.preferences.get(wanted.id)
        try:
            if stored is None:
                if based_on:
                    raise stale({})
                return self._store.preferences.insert(wanted, change), True
            if stored.state == wanted:
                return stored, False
            if based_on is None:
                raise needs_version(preferences_as_sent(stored))
            if based_on != stored.version:
                raise stale(preferences_as_sent(stored))
            return self._store.preferences.replace(stored, wanted, change), False
        except (Stale, Exists):
            return self.set_preferences(actor, wanted, based_on)
