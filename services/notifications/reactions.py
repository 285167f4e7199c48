"""Answers to other services' events: copies of what texts name, entries in inboxes, and mails to be sent.

Every step bears repetition, for delivery is at least once: ids are derived from what happened, and what is there
already stays as it is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from prometheus_client import Counter

from infra.actor import system_actor
from infra.clock import Clock
from infra.messaging.envelope import Event
from infra.messaging.subscription import Subscription, on
from infra.storage.aggregates import Change
from services.notifications import rules
from services.notifications.domain import ASKING, Delivery, Entry, too_old
from services.notifications.readers import (
    BatchSeen,
    CompetencySeen,
    EndorsementSeen,
    PairingSeen,
    ParticipantSeen,
    PersonSeen,
    SessionSeen,
    Subject,
)
from services.notifications.store import Store, notes

UNADDRESSED = Counter("bina_notifications_unaddressed", "Rules that applied but knew nobody to tell", ["rule"])
TOLD = Counter("bina_notifications_told", "Entries decided on, repetitions included", ["kind"])

SYSTEM = system_actor("notifications")

Items = Sequence[tuple[Event, Any]]


class Reactions:
    """window: how long a mail that asks for something waits for others of its kind to the same person."""

    def __init__(self, store: Store, clock: Clock, window: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._window = window

    def subscriptions(self) -> list[Subscription]:
        """What this service listens to."""
        return [
            on("participant", ParticipantSeen, self.subjects),
            on("pairing", PairingSeen, self.subjects),
            on("session", SessionSeen, self.subjects),
            on("endorsement", EndorsementSeen, self.subjects),
            on("batch", BatchSeen, self.batches),
            on("competency", CompetencySeen, self.competencies),
            on("person", PersonSeen, self.people),
        ]

    # --- copies

    def people(self, items: Items) -> None:
        """Keeps names and addresses; of an erased person nothing stays but that there was one."""
        self._store.people.apply(items, _person_document)
        self._store.hurry_for([event.subject for event, _ in items], self._clock())

    def batches(self, items: Items) -> None:
        """Keeps what texts say of a batch."""
        self._store.batches.apply(_present(items), lambda _, seen: _without_id(seen))

    def competencies(self, items: Items) -> None:
        """Keeps the names of competencies."""
        self._store.competencies.apply(_present(items), lambda _, seen: msgspec.to_builtins(seen))

    # --- what people are told about

    def subjects(self, items: Items) -> None:
        """Tells people what happened, and settles what no longer waits for them."""
        seen = _present(items)
        self._store.subjects.apply(seen, subject_document)
        self._tell([*self._decided(seen), *self._guides(seen)])
        self._settle([event.subject for event, _ in seen])

    def _decided(self, items: Items) -> list[Entry]:
        entries: list[Entry] = []
        for event, seen in items:
            decided = rules.decide(event, seen)
            entries += decided.entries
            for rule in decided.unaddressed:
                UNADDRESSED.labels(rule).inc()
        return entries

    def _guides(self, items: Items) -> list[Entry]:
        """Guides whose learner's mastery is endorsed, whichever came first: the endorsement or its session."""
        endorsements = [event.subject for event, seen in items if isinstance(seen, EndorsementSeen)]
        sessions = [event.subject for event, seen in items if isinstance(seen, SessionSeen)]
        if not endorsements and not sessions:
            return []
        endorsed = self._store.endorsed(endorsements, sessions)
        known = self._store.subjects_by_id(row["session_id"] for row in endorsed)
        return [
            rules.guide_mastered(row, known[row["session_id"]]["guide_id"])
            for row in endorsed
            if row["session_id"] in known
        ]

    def _tell(self, entries: list[Entry]) -> None:
        if not entries:
            return
        now = self._clock()
        subjects = self._store.subjects_by_id(entry.about_id for entry in entries)
        void = {
            entry.id
            for entry in entries
            if not rules.holds(entry.kind, entry.occasion, subjects.get(entry.about_id))
        }
        self._store.add_entries(
            msgspec.structs.replace(entry, read=entry.id in void and entry.kind in ASKING) for entry in entries
        )
        preferences = self._store.preferences_of(entry.employee_id for entry in entries)
        mails = []
        for entry in entries:
            TOLD.labels(entry.kind).inc()
            if not too_old(entry.at, now):
                wanted = preferences[entry.employee_id].by_mail(entry.kind)
                problem = "void" if entry.id in void else None if wanted else "not-wanted"
                mails.append(rules.mail_of(entry, problem))
        self._store.deliveries.insert_many([self._queued(mail, now) for mail in mails])

    def _queued(self, mail: Delivery, now: datetime) -> tuple[Delivery, Change, Mapping[str, Any]]:
        next_at = now + self._window if mail.kind in ASKING else now
        what = "delivery.queued" if mail.state == "waiting" else "delivery.withdrawn"
        change = Change(type=what, actor=SYSTEM, at=now, effective_at=now)
        return mail, change, {"attempts": 0, "next_at": next_at, "members": []}

    def _settle(self, about: list[str]) -> None:
        """Entries that ask for what is done count as read; the sender looks at mails that may be void by now."""
        now = self._clock()
        subjects = self._store.subjects_by_id(about)
        void = [
            entry.id
            for entry in self._store.unread_asking(about)
            if not rules.holds(entry.kind, entry.occasion, subjects.get(entry.about_id))
        ]
        if void:
            self._store.mark_read(void, now)
        waiting = self._store.waiting_about(about)
        entries = self._store.entries_by_id(stored.state.entry_id for stored in waiting)
        self._store.note(
            [
                stored.state.id
                for stored in waiting
                if notes(stored).next_at > now
                and not rules.holds(
                    stored.state.kind,
                    entries[stored.state.entry_id].occasion,
                    subjects.get(stored.state.about_id),
                )
            ],
            next_at=now,
        )


def _present(items: Items) -> Items:
    return [(event, seen) for event, seen in items if seen is not None]


def _person_document(_: Event, seen: PersonSeen | None) -> Mapping[str, Any]:
    return {"erased": True} if seen is None else {"name": seen.name, "email": seen.email}


def _without_id(seen: msgspec.Struct) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(seen)
    del document["id"]
    return document


def subject_document(event: Event, seen: Subject) -> Mapping[str, Any]:
    """What must be known of a thing later: its state, and of mastery who guided and what was reached."""
    document: dict[str, Any] = {"type": event.aggregate, "occasion": rules.occasion_of(seen, event.seq)}
    match seen:
        case SessionSeen():
            return {**document, "state": seen.status, "guide_id": seen.guide_id}
        case EndorsementSeen():
            reached = {"competency": seen.competency, "level": seen.level, "at": seen.at}
            people = {"learner_id": seen.learner_id, "session_id": seen.session_id}
            source = {"time": event.time, "event_id": event.id}
            return {**document, "state": seen.state, **reached, **people, **source}
        case _:
            return {**document, "state": seen.state}
