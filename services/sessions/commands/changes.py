"""What has changed for one person since a cursor, so that a phone misses nothing.

Cursors go by the server's own timestamps. Writes become visible in another order than they were stamped, so
what is younger than WINDOW counts as unsettled: it is told, and told again until it is older. Clients know it by
its version.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bson import Timestamp
from pymongo.collection import Collection

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import FieldError, Language, Refused, invalid
from infra.storage.aggregates import WITHOUT_EVENTS, Stored
from infra.storage.mongo import Document
from infra.storage.paging import BAD_CURSOR, decode, encode

from ..domain.copies import Pairing
from ..domain.session import Session
from ..store import Store, read_copy
from ..views import View, credit_view, endorsement_view, pairing_view, session_view

WINDOW = 10
"""Seconds: longer than a write may take from its stamp to its acknowledgement."""

PAGE = 200


class Place(NamedTuple):
    """A position in all that changes: by stamp, then kind, then id."""

    at: Timestamp
    kind: str
    id: str


START = Place(Timestamp(0, 0), "", "")


class Cursor(NamedTuple):
    """settled: everything up to there was told for good. place: where this round of pages goes on."""

    settled: Place
    place: Place

    def write(self) -> str:
        """The cursor as clients keep it."""
        return encode([*self.settled, *self.place])

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """The cursor from what a client kept; raises Refused 422 for anything else."""
        if text is None:
            return cls(START, START)
        try:
            values = decode(text, *[Timestamp, str, str] * 2)
        except Refused:
            raise _bad_cursor() from None
        return cls(Place(*values[:3]), Place(*values[3:]))

    def after(self, last: Place, horizon: Place, *, more: bool) -> "Cursor":
        """The cursor after a page that ended at `last` and was read when all before `horizon` was visible."""
        reached = last if more else horizon
        settled = self.settled
        if self.place == self.settled:
            settled = max(settled, min(reached, horizon))
        return Cursor(settled, last if more else settled)


class Page(NamedTuple):
    """Some changes, oldest first. more: whether others wait."""

    changes: list[View]
    cursor: str
    more: bool


class Source(NamedTuple):
    """A collection of what concerns people. whose: the field that names them. fields: what is read at first."""

    kind: str
    collection: Collection[Document]
    whose: str
    fields: Mapping[str, int]


class Changes:
    """Reads what concerns one person: pairings, sessions, endorsements and credits."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._sources = (
            Source("credit", store.credits.collection, "learner_id", WITHOUT_EVENTS),
            Source("endorsement", store.endorsements.collection, "people", WITHOUT_EVENTS),
            Source("pairing", store.pairings.collection, "people", {}),
            Source("session", store.sessions.collection, "people", {"changed": 1, "version": 1}),
        )

    def since(self, actor: Actor, cursor: Cursor, say: Language, at_hand: Mapping[str, Stored[Session]]) -> Page:
        """One page of what changed after the cursor's place.

        at_hand: sessions by id that this request has stored or read itself. Most of what is new for a phone is
        what it has just sent; that is read again only where somebody else has changed it meanwhile.
        """
        horizon = Place(Timestamp(max(self._visible_until() - WINDOW, 0), 0), "", "")
        found = list(self._read(actor.sub, cursor.place, PAGE + 1))
        more, found = len(found) > PAGE, found[:PAGE]
        last = found[-1][0] if found else cursor.place
        following = cursor.after(last, horizon, more=more)
        return Page(self._told(actor, found, at_hand, say), following.write(), more)

    def _visible_until(self) -> int:
        """The server's time of what it shows to a read that starts now, in seconds."""
        with self._store.database.client.start_session() as session:
            self._store.database.command("ping", session=session)
            stamp = session.operation_time
        return stamp.time if stamp else 0

    def _read(self, person: str, place: Place, limit: int) -> Iterator[tuple[Place, Document]]:
        streams = [self._stream(source, person, place, limit) for source in self._sources]
        merged = heapq.merge(*streams, key=lambda pair: pair[0])
        return (pair for pair, _ in zip(merged, range(limit), strict=False))

    def _stream(self, source: Source, person: str, place: Place, limit: int) -> Iterator[tuple[Place, Document]]:
        kind = source.kind
        later: Mapping[str, Any] = {"changed": {"$gte" if kind > place.kind else "$gt": place.at}}
        if kind == place.kind:
            later = {"$or": [later, {"changed": place.at, "_id": {"$gt": place.id}}]}
        rows = source.collection.find({source.whose: person, **later}, source.fields, limit=limit)
        for row in rows.sort([("changed", 1), ("_id", 1)]):
            yield Place(row["changed"], kind, row["_id"]), row

    # --- telling

    def _told(
        self,
        actor: Actor,
        found: list[tuple[Place, Document]],
        at_hand: Mapping[str, Stored[Session]],
        say: Language,
    ) -> list[View]:
        sessions = self._sessions(found, at_hand)
        credits_ = self._store.credits_by_session(stored.state for stored in sessions.values())
        pairings = {place.id: read_copy(row, Pairing) for place, row in found if place.kind == "pairing"}
        people = {person for one in pairings.values() for person in (one.guide_id, one.learner_id)}
        names = self._store.names(people) if people else {}
        now = self._clock()

        def data(place: Place, row: Document) -> View | None:
            if place.kind == "session":
                return session_view(sessions[place.id], credits_.get(place.id), actor, say)
            if place.kind == "pairing":
                return pairing_view(row, pairings[place.id], names, now)
            return self._told_if_concerned(place.kind, row, actor, say)

        return [_change(place, data(place, row)) for place, row in found]

    def _sessions(
        self, found: list[tuple[Place, Document]], at_hand: Mapping[str, Stored[Session]]
    ) -> dict[str, Stored[Session]]:
        versions = {place.id: row["version"] for place, row in found if place.kind == "session"}
        known = {
            id_: stored
            for id_, version in versions.items()
            if (stored := at_hand.get(id_)) is not None and stored.version == version
        }
        others = versions.keys() - known.keys()
        return known | (self._store.sessions.many(others) if others else {})

    def _told_if_concerned(self, kind: str, row: Document, actor: Actor, say: Language) -> View | None:
        if kind == "credit":
            credit = self._store.credits.read(row)
            return credit_view(credit, say) if credit.state.stands else None
        endorsement = self._store.endorsements.read(row)
        return endorsement_view(endorsement) if actor.sub in endorsement.state.viewers() else None


def _change(place: Place, data: View | None) -> View:
    return {"type": place.kind, "id": place.id, "gone": data is None, "data": data}


def _bad_cursor() -> Refused:
    return invalid(FieldError("/cursor", BAD_CURSOR))
