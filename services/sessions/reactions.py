"""Answers to enrollment's events: copies, certificates' JP, and open questions that follow a new supervisor."""

from collections.abc import Iterable

from infra.clock import Clock
from infra.messaging.envelope import Event, derived_id
from infra.messaging.subscription import BatchHandler, dispatch, on
from infra.storage.aggregates import Exists, Stale
from infra.storage.copies import Overtaken

from .commands.endorsements import Endorsements
from .commands.settling import by_system
from .domain import credit
from .domain.copies import Employee, Pairing, Participation
from .events import BatchSeen, PersonSeen
from .store import (
    Store,
    copy_of_batch,
    copy_of_employee,
    copy_of_pairing,
    copy_of_participant,
    copy_of_person,
    read_copy,
)


class Reactions:
    """Bears repeated, reordered and late events: each reaction goes by what the copies say, not by the event."""

    def __init__(self, store: Store, clock: Clock, endorsements: Endorsements) -> None:
        self._store = store
        self._clock = clock
        self._endorsements = endorsements

    def handler(self) -> BatchHandler:
        """What the consumer gives its events to."""
        return dispatch(
            [
                on("pairing", Pairing, self.pairings),
                on("employee", Employee, self.employees),
                on("person", PersonSeen, self.people),
                on("participant", Participation, self.participants),
                on("batch", BatchSeen, self.batches),
            ]
        )

    def pairings(self, events: list[tuple[Event, Pairing]]) -> None:
        """Keeps pairings, so that sessions can be checked against them."""
        self._store.pairings.apply(events, copy_of_pairing)

    def employees(self, events: list[tuple[Event, Employee]]) -> None:
        """Keeps who supervises whom; open endorsements go to the supervisor of now."""
        self._store.employees.apply(events, copy_of_employee)
        self._endorsements.follow_supervisors({event.subject for event, _ in events})

    def people(self, events: list[tuple[Event, PersonSeen]]) -> None:
        """Keeps names, and forgets those of the erased."""
        self._store.people.apply(events, copy_of_person)

    def participants(self, events: list[tuple[Event, Participation]]) -> None:
        """Keeps who was certified where, and credits it."""
        self._store.participants.apply(events, copy_of_participant)
        self._credit({"_id": {"$in": [event.subject for event, _ in events]}})

    def batches(self, events: list[tuple[Event, BatchSeen]]) -> None:
        """Keeps what batches earn, and credits their certificates anew."""
        self._store.batches.apply(events, copy_of_batch)
        self._credit({"batch_id": {"$in": [event.subject for event, _ in events]}})

    # --- certificates

    def _credit(self, which: dict[str, object]) -> None:
        rows = list(self._store.participants.collection.find(which))
        parts = [read_copy(row, Participation) for row in rows]
        batches = {"_id": {"$in": [part.batch_id for part in parts]}}
        earns = {row["_id"]: row.get("jp") for row in self._store.batches.collection.find(batches)}
        self._save(
            wanted
            for part in parts
            if (wanted := credit.from_certificate(certificate_id(part), part, earns.get(part.batch_id)))
        )

    def _save(self, wanted: Iterable[credit.Credit]) -> None:
        states = {state.id: state for state in wanted}
        known = self._store.credits.many(states)
        for id_, state in states.items():
            stored, now = known.get(id_), self._clock()
            try:
                if stored is None and state.stands:
                    self._store.credits.insert(state, by_system("credit.granted", now))
                elif stored is not None and stored.state != state:
                    self._store.credits.replace(stored, state, by_system("credit.changed", now))
            except (Exists, Stale) as error:
                raise Overtaken from error


def certificate_id(part: Participation) -> str:
    """The id of a certificate's credit: a participant has at most one."""
    return derived_id("credit", "certification", part.id)
