"""Keeps the figures up to date: takes in events, and re-places people when the tree changes.

Everything that is counted changes in one transaction with the fact that it counts; a batch that was taken in
before finds nothing newer and changes nothing.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymongo import ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, PyMongoError

from infra.messaging.envelope import Event, Unreadable
from infra.storage.copies import Overtaken
from infra.storage.failures import DUPLICATE
from infra.storage.leases import Lease
from services.reporting import documents as doc
from services.reporting.domain.ledger import Ledger, PersonSeen
from services.reporting.reactions import News, news_of
from services.reporting.store import Store

log = logging.getLogger(__name__)

PORTION = 50
"""People who may have to be re-placed in one transaction."""

MOST_FACTS = 5_000
"""Facts that may have to be re-placed in one transaction, which must end within seconds."""

RARE = {"needs": doc.of_need, "batches": doc.of_batch, "participants": doc.of_participant}


class Projection:
    """The events of one generation's consumer, turned into figures."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle(self, events: list[Event]) -> None:
        """Takes in the events of one or more partitions; repeating them, in any order, changes nothing."""
        news = news_of(events)
        # All that concerns one person has their id for its key, and stands in one partition by that.
        partitions = {event.key: event.partition for event in events}
        if news.units:
            self._store.save_units(news.units)
        for name, to_document in RARE.items():
            self._copy(name, getattr(news, name), to_document)
        people = {person.id: person for _, person in news.people.values()}
        for ids in self._portions(list(people)):
            self._people([people[id_] for id_ in ids], _shards(ids, partitions))
        if news.sessions or news.credits:
            self._facts(news, _shards((fact.person for fact in news.facts), partitions))

    def _copy(self, name: str, told: Mapping[str, tuple[int, Any]], to_document: Any) -> None:
        if not told:
            return
        collection = self._store[name]
        query = {"_id": {"$in": list(told)}}
        known = {found["_id"]: found["seq"] for found in collection.find(query, {"seq": 1})}
        writes = [
            ReplaceOne({"_id": id_, "seq": {"$lt": seq}}, {"seq": seq, **to_document(each)}, upsert=True)
            for id_, (seq, each) in told.items()
            if known.get(id_, -1) < seq
        ]
        try:
            if writes:
                collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            # Another worker made the same copy in this moment; the batch that is tried again will find it.
            if any(failure["code"] == DUPLICATE for failure in error.details["writeErrors"]):
                raise Overtaken from error
            raise

    def _people(self, seen: Sequence[PersonSeen], shards: Mapping[str, int]) -> None:
        def work(session: ClientSession) -> None:
            ledger = Ledger(self._store.people(shards, session), ())
            moved = ledger.see_people(seen, self._store.tree(session))
            self._settle(ledger, moved, shards, session)

        self._store.in_shards(shards.values(), work)

    def _facts(self, news: News, shards: Mapping[str, int]) -> None:
        facts = news.facts

        def work(session: ClientSession) -> None:
            known = self._store.facts(news.sessions, news.credits, session)
            years = {fact.day[:4] for fact in (*facts, *known)}
            ledger = Ledger(self._store.people(shards, session, years), known)
            ledger.see_facts(facts)
            self._store.save(ledger, shards, session)

        self._store.in_shards(shards.values(), work)

    def is_behind_tree(self) -> bool:
        """Whether there are people whose places are older than the tree."""
        return bool(self._store.people_behind(self._store.tree_version(), 1))

    def catch_up_with_tree(self) -> bool:
        """Re-places some people whose places are older than the tree; False when there are none."""
        behind = self._store.people_behind(self._store.tree_version(), PORTION)
        for ids in self._portions(list(behind)):
            self._replace_people({id_: behind[id_] for id_ in ids})
        return bool(behind)

    def _portions(self, ids: list[str]) -> Iterator[list[str]]:
        """The people, as many at a time as can be re-placed in one transaction."""
        waiting = [ids]
        while waiting:
            some = waiting.pop()
            many = len(some) > PORTION or (len(some) > 1 and self._store.has_more_facts(some, MOST_FACTS))
            if many:
                half = len(some) // 2
                waiting += [some[half:], some[:half]]
            elif some:
                yield some

    def _replace_people(self, shards: Mapping[str, int]) -> None:
        def work(session: ClientSession) -> None:
            tree = self._store.tree(session)
            ledger = Ledger(self._store.people(shards, session), ())
            self._settle(ledger, ledger.see_tree(tree), shards, session)

        self._store.in_shards(shards.values(), work)

    def _settle(self, ledger: Ledger, moved: set[str], shards: Mapping[str, int], session: ClientSession) -> None:
        if moved:
            ledger.know(self._store.facts_of(moved, session))
            ledger.replace_facts(moved)
        self._store.save(ledger, shards, session)


def _shards(people: Iterable[str], partitions: Mapping[str, int]) -> dict[str, int]:
    try:
        return {person: partitions[person] for person in people}
    except KeyError:
        raise Unreadable("the partition key is not the id of the person who is told of") from None


class TreeFollower:
    """Part of a worker: re-places people after changes of the tree. One at a time does it, by a lease."""

    name = "tree"

    def __init__(self, projection: Projection, lease: Lease, every: float = 0.5) -> None:
        self._projection = projection
        self._lease = lease
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; trouble with the database is waited out."""
        while not stop.is_set():
            try:
                wanted = self._projection.is_behind_tree()
                busy = wanted and self._lease.acquire() and self._projection.catch_up_with_tree()
            except PyMongoError as error:
                log.warning("people wait to be re-placed", extra={"reason": type(error).__name__})
                busy = False
            if not busy:
                stop.wait(self._every)
        self._lease.release()
