"""Collections, indexes and queries of one generation of the figures.

A generation is all that was counted from one reading of the log; a rebuild makes the next one beside it. People
and counters have a shard: a person's is the partition that tells of them, and who writes something of a shard does
so alone. What several shards tell at once is counted in the first of them; figures are the sums over all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pymongo import IndexModel, ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from infra.storage.guards import transaction
from infra.storage.mongo import patient
from services.reporting import documents as doc
from services.reporting.documents import Document
from services.reporting.domain.contributions import Cell, CreditFact, Fact, SessionFact, Stock
from services.reporting.domain.ledger import Ledger
from services.reporting.domain.people import Person
from services.reporting.domain.tree import SEPARATOR, Tree, Unit

T = TypeVar("T")

INDEXES: Mapping[str, list[IndexModel]] = {
    "units": [],
    "needs": [IndexModel("unit")],
    "batches": [IndexModel("starts_on")],
    "participants": [IndexModel("batch_id"), IndexModel("state")],
    "people": [IndexModel([("shard", 1), ("tree", 1)])],
    "sessions": [
        IndexModel("person"),
        IndexModel(
            [("path", 1), ("day", 1), ("_id", 1)],
            partialFilterExpression={"status": "confirmed"},
            name="evidence",
        ),
    ],
    "credits": [
        IndexModel("person"),
        IndexModel(
            [("path", 1), ("day", 1), ("_id", 1)], partialFilterExpression={"jp": {"$gt": 0}}, name="evidence"
        ),
    ],
    "masteries": [IndexModel([("codes", 1), ("day", 1)])],
    "counters": [IndexModel([("metric", 1), ("codes", 1), ("period", 1)])],
    "stocks": [IndexModel([("unit", 1), ("competency", 1), ("day", 1)])],
    "progress": [],
    "meta": [],
}


class Store:
    """The collections of one generation, by the names of what they hold."""

    def __init__(self, database: Database[Document], generation: int) -> None:
        self.database = database
        self.generation = generation
        self._tree = Tree(())

    def __getitem__(self, name: str) -> Collection[Document]:
        return self.database[f"g{self.generation}.{name}"]

    @patient
    def ensure_indexes(self) -> None:
        """Makes collections and indexes; safe to repeat."""
        existing = set(self.database.list_collection_names())
        for name, indexes in INDEXES.items():
            if self[name].name not in existing and not indexes:
                self[name].update_one({"_id": "-"}, {"$unset": {"-": 1}})
            if indexes:
                self[name].create_indexes(indexes)

    def in_shards(self, shards: Iterable[int], work: Callable[[ClientSession], T]) -> T:
        """Runs the work in a transaction, alone in these shards; it may run more than once."""
        return transaction(self.database, [f"{self['shard'].name}:{shard}" for shard in shards], work)

    # --- the tree of units

    def tree(self, session: ClientSession | None = None) -> Tree:
        """The units as they are now known; read anew only when they changed."""
        tree, version = self._tree, self.tree_version(session)
        if version != tree.version:
            self._tree = tree = Tree(map(doc.unit, self["units"].find({}, session=session)), version)
        return tree

    def tree_version(self, session: ClientSession | None = None) -> int:
        """How often the tree has changed."""
        found = self["meta"].find_one({"_id": "tree"}, session=session)
        return found["version"] if found else 0

    def save_units(self, units: Mapping[str, tuple[int, Unit]]) -> None:
        """Takes in what is newer and, when that changed anything, counts up the tree's version with it."""
        by_code = {unit.code: (seq, unit) for seq, unit in units.values()}

        def work(session: ClientSession) -> None:
            query = {"_id": {"$in": list(by_code)}}
            known = {found["_id"]: found for found in self["units"].find(query, session=session)}
            newer = {c: each for c, each in by_code.items() if c not in known or known[c]["seq"] < each[0]}
            if not newer:
                return
            writes = [
                ReplaceOne({"_id": code}, {"seq": seq, **doc.of_unit(unit)}, upsert=True)
                for code, (seq, unit) in newer.items()
            ]
            self["units"].bulk_write(writes, session=session)
            self["meta"].update_one({"_id": "tree"}, {"$inc": {"version": 1}}, upsert=True, session=session)

        transaction(self.database, [self["tree"].name], work)

    # --- people and facts

    def people(
        self, ids: Iterable[str], session: ClientSession, years: Iterable[str] | None = None
    ) -> list[Person]:
        """Those of the people who are known; with the months of these years only, if given."""
        fields = None if years is None else doc.fields_of_years(years)
        found = self["people"].find({"_id": {"$in": list(ids)}}, fields, session=session)
        return [doc.person(each) for each in found]

    def people_behind(self, tree: int, limit: int) -> dict[str, int]:
        """Ids of some people whose places were found by an older tree, with their shards."""
        found = self["people"].find({"tree": {"$lt": tree}}, {"shard": 1}).sort([("shard", 1), ("tree", 1)])
        return {each["_id"]: each["shard"] for each in found.limit(limit)}

    def facts(self, sessions: Iterable[str], credited: Iterable[str], session: ClientSession) -> list[Fact]:
        """Those of the facts that are known."""
        by_session, by_credit = {"_id": {"$in": list(sessions)}}, {"_id": {"$in": list(credited)}}
        return self._facts(by_session, by_credit, session)

    def facts_of(self, people: Iterable[str], session: ClientSession) -> list[Fact]:
        """All facts of these people."""
        query = {"person": {"$in": list(people)}}
        return self._facts(query, query, session)

    def has_more_facts(self, people: Iterable[str], than: int) -> bool:
        """Whether these people have more facts together than that many."""
        query = {"person": {"$in": list(people)}}
        sessions = self["sessions"].count_documents(query, limit=than + 1)
        return sessions > than or sessions + self["credits"].count_documents(query, limit=than + 1) > than

    def _facts(self, sessions: Document, credited: Document, session: ClientSession) -> list[Fact]:
        found: list[Fact] = []
        if any(condition["$in"] for condition in sessions.values()):
            found += map(doc.session_fact, self["sessions"].find(sessions, session=session))
        if any(condition["$in"] for condition in credited.values()):
            found += map(doc.credit_fact, self["credits"].find(credited, session=session))
        return found

    # --- what a batch of events changed

    def save(self, ledger: Ledger, shards: Mapping[str, int], session: ClientSession) -> None:
        """Writes the facts, the people and, by their difference, the counters; one write a document.

        shards: of each person, by id; the transaction must be alone in them.
        """
        for name, type_ in (("sessions", SessionFact), ("credits", CreditFact)):
            facts = [fact for fact in ledger.changed_facts if isinstance(fact, type_)]
            new = [doc.of_fact(fact, shards[fact.person]) for fact in facts if ledger.is_new(fact)]
            if new:
                self[name].insert_many(new, ordered=False, session=session)
            old = [doc.of_fact(fact, shards[fact.person]) for fact in facts if not ledger.is_new(fact)]
            self._replace(name, old, session)
        people = ((each.id, doc.of_person(each, ledger.before(each))) for each in ledger.changed_people)
        updates = [
            UpdateOne({"_id": id_}, {"$set": new | {"shard": shards[id_]}}, upsert=True) for id_, new in people
        ]
        self._write("people", updates, session)
        masteries = ledger.masteries
        there = [doc.of_mastery(each, shards[each.person]) for each in masteries.values() if each]
        self._replace("masteries", there, session)
        gone = [id_ for id_, mastery in masteries.items() if mastery is None]
        if gone:
            self["masteries"].delete_many({"_id": {"$in": gone}}, session=session)
        counted_in = min(shards.values())
        self._add(ledger.cells, counted_in, session)
        self._stock(ledger.stocks, counted_in, session)

    def _replace(self, name: str, documents: Iterable[Document], session: ClientSession) -> None:
        self._write(name, [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents], session)

    def _add(self, cells: Mapping[Cell, Mapping[str, int]], shard: int, session: ClientSession) -> None:
        writes = []
        for (metric, period, codes), sums in cells.items():
            id_ = f"{shard}|{metric}|{period}|{SEPARATOR.join(codes)}"
            about = {"shard": shard, "metric": metric, "period": period, "codes": codes}
            amounts = {f"n.{field}": amount for field, amount in sums.items()}
            writes.append(UpdateOne({"_id": id_}, {"$inc": amounts, "$setOnInsert": about}, upsert=True))
        self._write("counters", writes, session)

    def _stock(self, stocks: Mapping[Stock, int], shard: int, session: ClientSession) -> None:
        writes = []
        for stock, amount in stocks.items():
            id_ = f"{shard}|{stock.unit}/{stock.competency}/{stock.level}/{stock.day}"
            about = {"shard": shard, **stock._asdict()}
            writes.append(UpdateOne({"_id": id_}, {"$inc": {"n": amount}, "$setOnInsert": about}, upsert=True))
        self._write("stocks", writes, session)

    def _write(
        self, name: str, writes: Sequence[ReplaceOne[Document] | UpdateOne], session: ClientSession
    ) -> None:
        if writes:
            self[name].bulk_write(writes, ordered=False, session=session)
