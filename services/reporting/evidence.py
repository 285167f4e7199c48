"""The records behind a figure: one item for each of its numerator."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from infra.clock import from_wire, start_of
from infra.storage.paging import decode, encode
from services.reporting import documents as doc
from services.reporting.documents import Document
from services.reporting.domain.contributions import of_duty_met
from services.reporting.domain.people import Person
from services.reporting.domain.periods import Period
from services.reporting.domain.training import counts_in
from services.reporting.domain.tree import SEPARATOR, is_within
from services.reporting.figures import Figures, Scope
from services.reporting.kpis import Part


class Item(msgspec.Struct, frozen=True):
    """One record. at: when it took effect; unit: where it counts; part: of the figure, if it has parts."""

    type: str
    id: str
    at: datetime
    unit: str
    part: str | None = None


class Asked(msgspec.Struct, frozen=True):
    """Which records are asked for, and which page of them."""

    scope: Scope
    period: Period
    part: Part
    limit: int
    cursor: str | None


Page = tuple[list[Item], str | None]
Keyed = tuple[list[Any], Item]
"""An item with the values by which its list is ordered, the last of them unique."""


class Evidence:
    """Finds the records of one generation's figures."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._store = figures.store
        self._of: Mapping[str, Callable[[Asked], Page]] = {
            "unit_coverage": self._coverage,
            "training_funnel": self._training,
            "reach": self._reached,
            "multiplier": self._reached,
            "sessions": self._sessions,
            "hours": self._sessions,
            "confirmation_rate": self._sessions,
            "jp_mean": self._credits,
            "jp_20_share": self._duty_met,
            "gaps_open": self._gaps_open,
            "gaps_closed": self._gaps_closed,
        }

    def page(self, kpi: str, asked: Asked) -> Page:
        """One page of the records, and the cursor of the next. Raises Refused for a cursor of another list."""
        return self._of[kpi](asked)

    # --- facts, by placement and day

    def _sessions(self, asked: Asked) -> Page:
        kind = {} if asked.part is None else {"kind": asked.part}
        rows = self._facts("sessions", {"status": "confirmed", **kind}, "confirmed", asked)
        return _cut(
            ((_place(row), Item("session", row["_id"], row["at"], _unit(row), row["kind"])) for row in rows),
            asked.limit,
        )

    def _credits(self, asked: Asked) -> Page:
        rows = self._facts("credits", {"jp": {"$gt": 0}}, "jp", asked)
        return _cut(
            ((_place(row), Item("credit", row["_id"], _start(row["day"]), _unit(row))) for row in rows),
            asked.limit,
        )

    def _facts(self, name: str, query: Document, field: str, asked: Asked) -> Iterator[Document]:
        """Facts in order of placement, day and id, from the cursor on: each placement is a piece of the index."""
        first_path, first_day, first_id = decode(asked.cursor, str, str, str) if asked.cursor else ("", "", "")
        days = {"$gte": asked.period.first, "$lte": asked.period.last}
        for path in self._paths(asked, field):
            if path < first_path:
                continue
            condition: Document = {**query, "path": path, "day": days}
            if path == first_path:
                condition["$or"] = [{"day": {"$gt": first_day}}, {"day": first_day, "_id": {"$gt": first_id}}]
            order = [("day", 1), ("_id", 1)]
            yield from self._store[name].find(condition).sort(order).limit(asked.limit + 1).hint("evidence")

    def _paths(self, asked: Asked, field: str) -> list[str]:
        query = {
            "metric": "flow",
            "codes": asked.scope.unit,
            "period": asked.period.key,
            f"n.{field}": {"$gt": 0},
        }
        return sorted({SEPARATOR.join(row["codes"]) for row in self._store["counters"].find(query, {"codes": 1})})

    # --- people

    def _reached(self, asked: Asked) -> Page:
        first, last = asked.period.months
        paths = self._paths(asked, "confirmed")
        inside = {"0": {"$gte": first, "$lte": last}, "1": {"$in": paths}}
        people = [each["_id"] for each in self._people({f"reached.{first[:4]}": {"$elemMatch": inside}}, asked)]
        days = {"$gte": asked.period.first, "$lte": asked.period.last}
        match = {
            "person": {"$in": people},
            "status": "confirmed",
            "active": True,
            "day": days,
            "path": {"$in": paths},
        }
        group = {"_id": "$person", "at": {"$first": "$at"}, "path": {"$first": "$path"}}
        steps: list[Document] = [{"$match": match}, {"$sort": {"at": 1, "_id": 1}}, {"$group": group}]
        firsts = {row["_id"]: row for row in self._store["sessions"].aggregate(steps)}
        return _cut(
            (
                ([id_], Item("employee", id_, firsts[id_]["at"], _unit(firsts[id_])))
                for id_ in people
                if id_ in firsts
            ),
            asked.limit,
        )

    def _people(self, query: Document, asked: Asked) -> Iterable[Document]:
        after = {"_id": {"$gt": decode(asked.cursor, str)[0]}} if asked.cursor else {}
        return self._store["people"].find({**query, **after}).sort("_id", 1).limit(asked.limit + 1)

    def _duty_met(self, asked: Asked) -> Page:
        year = asked.period.first[:4]
        after = {"_id": {"$gt": decode(asked.cursor, str)[0]}} if asked.cursor else {}
        query = {f"jp.{year}.0": {"$exists": True}, **after}
        rows = self._store["people"].find(query, doc.fields_of_years([year])).sort("_id", 1)
        people = (doc.person(row) for row in rows)
        return _cut(
            (
                (
                    [person.id],
                    Item("employee", person.id, self._twentieth(person, year), _last_unit(person, asked)),
                )
                for person in people
                if _met(person, asked)
            ),
            asked.limit,
        )

    def _twentieth(self, person: Person, year: str) -> datetime:
        """The day on which the person's 20th JP of the year was credited."""
        query = {"person": person.id, "day": {"$gte": f"{year}-01-01", "$lte": f"{year}-12-31"}}
        total, day = 0, f"{year}-01-01"
        for row in self._store["credits"].find(query).sort([("day", 1), ("_id", 1)]):
            if total >= 20:
                break
            total, day = total + row["jp"], row["day"]
        return _start(day)

    # --- what is rare: made whole, then cut

    def _coverage(self, asked: Asked) -> Page:
        units = self._figures.covered(asked.scope, asked.period)
        items = [
            ([unit], Item("participant", each.participant, each.at, unit))
            for unit, each in sorted(units.items())
            if each is not None
        ]
        return _after(items, asked)

    def _training(self, asked: Asked) -> Page:
        items: list[Keyed] = []
        for each in self._figures.participants(asked.scope, asked.period):
            at = each.reached(asked.part or "nominated")
            if at is not None and asked.part is not None and counts_in(each, asked.part):
                items.append(([each.id], Item("participant", each.id, at, each.unit, asked.part)))
        return _after(items, asked)

    def _gaps_open(self, asked: Asked) -> Page:
        lines = self._figures.gap_lines(asked.scope, [asked.period])[asked.period.key]
        items = [
            ([line.need, number], Item("need", line.need, line.at, line.unit))
            for line in lines
            for number in range(line.missing)
        ]
        return _after(items, asked)

    def _gaps_closed(self, asked: Asked) -> Page:
        items = [
            ([each.day, each.id], Item("endorsement", each.id, from_wire(each.at), each.unit))
            for each in self._figures.closing(asked.scope, asked.period)
        ]
        return _after(items, asked)


def _cut(keyed: Iterable[Keyed], limit: int) -> Page:
    """The first `limit` items, and a cursor when there are more."""
    items: list[Item] = []
    key: list[Any] = []
    for place, item in keyed:
        if len(items) == limit:
            return items, encode(key)
        items.append(item)
        key = place
    return items, None


def _after(items: Sequence[Keyed], asked: Asked) -> Page:
    ordered = sorted(items, key=lambda keyed: keyed[0])
    if asked.cursor and ordered:
        last = decode(asked.cursor, *map(type, ordered[0][0]))
        ordered = [keyed for keyed in ordered if keyed[0] > last]
    return _cut(ordered, asked.limit)


def _met(person: Person, asked: Asked) -> bool:
    cells = of_duty_met(person, [asked.period.first[:4]])
    return any(cell.period == asked.period.key and asked.scope.unit in cell.codes for cell in cells)


def _last_unit(person: Person, asked: Asked) -> str:
    """The unit inside the asked one in which the person was last active by the period's end."""
    unit = asked.scope.unit
    for place in person.places:
        inside = place.active and place.path is not None and is_within(place.path, asked.scope.unit)
        if inside and place.path is not None and place.since <= asked.period.last:
            unit = place.path.rsplit(SEPARATOR, 1)[-1]
    return unit


def _place(row: Document) -> list[Any]:
    return [row["path"], row["day"], row["_id"]]


def _unit(row: Document) -> str:
    return str(row["path"]).rsplit(SEPARATOR, 1)[-1]


def _start(day: str) -> datetime:
    return start_of(date.fromisoformat(day))
