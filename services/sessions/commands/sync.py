"""Offline queues of phones: many sessions and transitions at once, each on its own.

The order is kept. Runs of new sessions that don't touch each other are stored together; everything else goes the
way of a single request.
"""

from collections.abc import Sequence

from msgspec import Struct

from infra.actor import Actor
from infra.clock import Clock
from infra.problems import Refused
from infra.storage.aggregates import Exists, Stored, Taken

from ..domain import session as rules
from ..domain.copies import Pairing
from ..domain.session import Content, Session
from ..domain.slots import slots_of
from ..store import Store
from .access import Outdated
from .recording import first_of, in_shares, known_pairing
from .sessions import Sessions, Transition


class Write(Struct, frozen=True, kw_only=True):
    """A session from a phone."""

    id: str
    content: Content
    based_on: int | None = None


class Move(Struct, frozen=True, kw_only=True):
    """A transition from a phone."""

    id: str
    asked: Transition


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one item: what is stored now, or why it was refused."""

    stored: Stored[Session] | None = None
    changed: bool = False
    refusal: Refused | Outdated | None = None


class Sync:
    """Takes in what a phone has queued."""

    def __init__(self, store: Store, clock: Clock, sessions: Sessions) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions

    def write(self, actor: Actor, writes: Sequence[Write]) -> list[Outcome]:
        """Applies the sessions in their order; one outcome for each."""
        return Queue(self._store, self._clock, self._sessions, actor, writes).work()

    def move(self, actor: Actor, moves: Sequence[Move]) -> list[Outcome]:
        """Applies the transitions in their order; one outcome for each."""
        versions = self._versions([move.id for move in moves])
        outcomes = []
        for move in moves:
            outcome = self._moved(actor, move, versions.get(move.id))
            if outcome.stored is not None:
                versions[move.id] = outcome.stored.version
            outcomes.append(outcome)
        return outcomes

    def _moved(self, actor: Actor, move: Move, version: int | None) -> Outcome:
        try:
            stored = self._sessions.step(actor, move.id, move.asked)
        except (Refused, Outdated) as refusal:
            return Outcome(refusal=refusal)
        return Outcome(stored=stored, changed=stored.version != version)

    def _versions(self, ids: Sequence[str]) -> dict[str, int]:
        if not ids:
            return {}
        rows = self._store.sessions.collection.find({"_id": {"$in": list(ids)}}, {"version": 1})
        return {row["_id"]: row["version"] for row in rows}


class Queue:
    """One phone's sessions on their way in."""

    def __init__(
        self, store: Store, clock: Clock, sessions: Sessions, actor: Actor, writes: Sequence[Write]
    ) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._actor = actor
        self._writes = writes
        self._outcomes: dict[int, Outcome] = {}
        self._fresh: list[tuple[int, Session, list[bytes]]] = []
        self._waiting: set[str] = set()
        self._taken: set[bytes] = set()
        self._known: dict[str, Stored[Session]] = {}
        self._pairings: dict[str, Pairing] = {}

    def work(self) -> list[Outcome]:
        """Takes each in its turn; what is new waits for the next that is not, to be stored together."""
        if not self._writes:
            return []
        self._known = self._store.sessions.many(write.id for write in self._writes)
        self._pairings = self._store.pairings_by_id({write.content.pairing_id for write in self._writes})
        for place in range(len(self._writes)):
            self._take(place)
        self._store_fresh()
        return [self._outcomes[place] for place in range(len(self._writes))]

    def _take(self, place: int) -> None:
        write = self._writes[place]
        if write.id in self._waiting:
            self._store_fresh()
        known = self._known.get(write.id)
        if known is None and write.based_on is None:
            self._take_new(place)
        elif known is not None and self._is_repeat(write, known):
            self._outcomes[place] = Outcome(stored=known)
        else:
            self._store_fresh()
            self._put(place)

    def _is_repeat(self, write: Write, known: Stored[Session]) -> bool:
        return self._actor.sub == known.state.guide_id and write.content == known.state.content

    def _take_new(self, place: int) -> None:
        write = self._writes[place]
        try:
            pairing = known_pairing(self._actor, self._pairings.get(write.content.pairing_id))
            session = rules.record(write.id, write.content, pairing, self._actor.sub, self._clock())
        except Refused as refusal:
            self._outcomes[place] = Outcome(refusal=refusal)
            return
        slots = slots_of(session)
        if not self._taken.isdisjoint(slots):
            self._store_fresh()
            self._put(place)
            return
        self._taken.update(slots)
        self._waiting.add(write.id)
        self._fresh.append((place, session, slots))

    def _put(self, place: int) -> None:
        write = self._writes[place]
        before = self._known.get(write.id)
        seen = before.version if before else write.based_on
        try:
            stored, created = self._sessions.put(self._actor, write.id, write.content, write.based_on)
        except (Refused, Outdated) as refusal:
            self._outcomes[place] = Outcome(refusal=refusal)
            return
        self._known[write.id] = stored
        # Unseen, not created and not refused: the same queue, sent twice at once, got in first.
        changed = created or (seen is not None and seen != stored.version)
        self._outcomes[place] = Outcome(stored=stored, changed=changed)

    def _store_fresh(self) -> None:
        """Stores what waits; what another request got in the way of goes the way of a single one."""
        waiting, self._fresh = self._fresh, []
        self._waiting, self._taken = set(), set()
        items = (first_of(session, self._actor, slots) for _, session, slots in waiting)
        results = [result for share in in_shares(items) for result in self._store.sessions.insert_many(share)]
        for (place, session, _), result in zip(waiting, results, strict=True):
            if isinstance(result, Exists | Taken):
                self._put(place)
            else:
                self._known[session.id] = result
                self._outcomes[place] = Outcome(stored=result, changed=True)
