"""Reads the numbers that figures are made of: for one unit with all below it, for some periods of one grain.

Counters are summed over shards and placements; what is rare (needs, masteries, batches, representatives) is looked
at itself. None of it grows with the number of sessions.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from services.reporting import documents as doc
from services.reporting.documents import Document
from services.reporting.domain import gaps
from services.reporting.domain.contributions import SETS
from services.reporting.domain.gaps import Gap, Need
from services.reporting.domain.people import Mastery, Stint
from services.reporting.domain.periods import Period, previous, standing
from services.reporting.domain.training import (
    FUNNEL,
    Batch,
    Participant,
    Representative,
    counts_in,
    covered_units,
    representatives_on,
)
from services.reporting.domain.tree import Tree, is_within
from services.reporting.store import Store

Numbers = dict[str, int]

FLOWS = (
    "coaching",
    "mentoring",
    "coaching_minutes",
    "mentoring_minutes",
    "held",
    "confirmed",
    "disputed",
    "jp",
)
COUNTED = frozenset({"flow", "active", *SETS})


class Scope(msgspec.Struct, frozen=True):
    """What is looked at: the unit with all below it, by `tree`, on a day that is `today`."""

    unit: str
    tree: Tree
    today: str


class Figures:
    """The numbers of one generation."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def numbers(self, scope: Scope, sources: Collection[str], periods: Sequence[Period]) -> dict[str, Numbers]:
        """The numbers of the sources by period key; periods of one grain. What is missing is 0."""
        found: dict[str, Numbers] = {period.key: defaultdict(int) for period in periods}
        if COUNTED & set(sources):
            self._counted(scope, sources, periods, found)
        rare = {
            "coverage": self._coverage,
            "training": self._training,
            "gaps": self._gaps,
            "masteries": self._masteries,
        }
        for source in rare.keys() & set(sources):
            rare[source](scope, periods, found)
        return found

    # --- counters

    def _counted(
        self,
        scope: Scope,
        sources: Collection[str],
        periods: Sequence[Period],
        found: Mapping[str, Numbers],
    ) -> None:
        keys = [period.key for period in periods]
        active = f"active_{periods[0].grain}"
        wanted: list[Document] = []
        sets = [name for name in SETS if name in sources]
        fields = [*(FLOWS if "flow" in sources else ()), *sets]
        if fields:
            # Up to shape 2, each of the sets had counters of its own.
            wanted.append({"metric": {"$in": ["flow", *sets]}, "period": {"$in": keys}})
        if "active" in sources:
            wanted.append({"metric": active, "period": {"$lte": max(keys)}})
        sums = {field: {"$sum": f"$n.{field}"} for field in (*fields, "people")}
        group = {"_id": {"metric": "$metric", "period": "$period"}, **sums}
        match = {"codes": scope.unit, "$or": wanted}
        steps: Numbers = {}
        for row in self.store["counters"].aggregate([{"$match": match}, {"$group": group}]):
            metric, key = row["_id"]["metric"], row["_id"]["period"]
            if metric == active:
                steps[key] = row["people"]
            elif metric in sets:
                found[key][metric] += row["people"]
            else:
                for field in fields:
                    found[key][field] += row[field]
        for key in keys if "active" in sources else ():
            found[key]["active"] = sum(people for step, people in steps.items() if step <= key)

    # --- representatives and units

    def certified(self) -> list[tuple[Participant, Sequence[Stint]]]:
        """Everybody who is certified, with where they were; latest first."""
        participants = [doc.participant(each) for each in self.store["participants"].find({"state": "certified"})]
        people = {"_id": {"$in": [each.person for each in participants]}}
        stints = {each["_id"]: doc.stints(each) for each in self.store["people"].find(people, {"history": 1})}
        participants.sort(key=lambda each: (each.certified_day or "", each.id), reverse=True)
        return [(each, stints.get(each.person, ())) for each in participants]

    def covered(self, scope: Scope, period: Period) -> dict[str, Representative | None]:
        """The units that can be covered at the period's end, each with who covers it."""
        day = standing(period, scope.today)
        representatives = representatives_on(self.certified(), scope.tree, day, scope.unit)
        return covered_units(scope.tree, representatives, day, scope.unit)

    def _coverage(self, scope: Scope, periods: Sequence[Period], found: Mapping[str, Numbers]) -> None:
        certified = self.certified()
        for period in periods:
            day = standing(period, scope.today)
            representatives = representatives_on(certified, scope.tree, day, scope.unit)
            units = covered_units(scope.tree, representatives, day, scope.unit)
            found[period.key].update(
                coverable=len(units),
                covered=sum(each is not None for each in units.values()),
                representatives=len(representatives),
            )

    # --- training

    def participants(self, scope: Scope, period: Period) -> list[Participant]:
        """Participants of the batches that start in the period, from the unit and below on that day."""
        starting = {"starts_on": {"$gte": period.first, "$lte": period.last}}
        batches = {each.id: each for each in map(doc.batch, self.store["batches"].find(starting))}
        if not batches:
            return []
        found = self.store["participants"].find({"batch_id": {"$in": list(batches)}})
        return [each for each in map(doc.participant, found) if _is_in(scope, each, batches[each.batch_id])]

    def _training(self, scope: Scope, periods: Sequence[Period], found: Mapping[str, Numbers]) -> None:
        for period in periods:
            for participant in self.participants(scope, period):
                for part in FUNNEL:
                    found[period.key][part] += counts_in(participant, part)

    # --- needs and masteries

    def needs(self, competencies: Iterable[str] | None = None) -> list[Need]:
        """All needs ever stated, or those in some competencies."""
        query: Document = {} if competencies is None else {"competency": {"$in": list(competencies)}}
        return [doc.need(each) for each in self.store["needs"].find(query)]

    def gap_lines(self, scope: Scope, periods: Sequence[Period]) -> dict[str, list[Gap]]:
        """The needs in force at each period's end, at the unit and below, with zeros; none of closed units."""
        needs = self.needs()
        steps = self._steps(needs, standing(max(periods, key=lambda each: each.last), scope.today))
        found: dict[str, list[Gap]] = {}
        for period in periods:
            day, before = standing(period, scope.today), _day_before(period, scope.today)
            lines = (
                gaps.gap_of(each, day, steps, gaps.missing_of(steps, each, before))
                for each in needs
                if not scope.tree.is_closed(each.unit, day)
                and is_within(scope.tree.path(each.unit, day) or "", scope.unit)
            )
            found[period.key] = sorted(
                (line for line in lines if line), key=lambda gap: (gap.unit, gap.competency)
            )
        return found

    def _steps(self, needs: Iterable[Need], until: str) -> gaps.Steps:
        """How the levels of the units that need something changed, up to that day."""
        units = sorted({need.unit for need in needs})
        competencies = sorted({need.competency for need in needs})
        query = {"unit": {"$in": units}, "competency": {"$in": competencies}, "day": {"$lte": until}}
        wanted = {"unit": 1, "competency": 1, "day": 1, "level": 1, "n": 1}
        found: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
        for row in self.store["stocks"].find(query, wanted):
            found[row["unit"], row["competency"]].append((row["day"], row["level"], row["n"]))
        return found

    def _gaps(self, scope: Scope, periods: Sequence[Period], found: Mapping[str, Numbers]) -> None:
        for key, lines in self.gap_lines(scope, periods).items():
            found[key]["gaps_open"] = sum(line.missing for line in lines)

    def _masteries(self, scope: Scope, periods: Sequence[Period], found: Mapping[str, Numbers]) -> None:
        for period in periods:
            found[period.key]["gaps_closed"] = len(self.closing(scope, period))

    def closing(self, scope: Scope, period: Period) -> list[Mastery]:
        """The masteries of the period, in the unit and below, that closed a part of a gap; oldest first."""
        query = {"codes": scope.unit, "day": {"$gte": period.first, "$lte": period.last}}
        found = self.store["masteries"].find(query).sort([("day", 1), ("_id", 1)])
        masteries = [doc.mastery(each) for each in found]
        if not masteries:
            return []
        return gaps.closing(masteries, self.needs({each.competency for each in masteries}))


def _is_in(scope: Scope, participant: Participant, batch: Batch) -> bool:
    path = scope.tree.path(participant.unit, batch.starts_on)
    return path is not None and is_within(path, scope.unit)


def _day_before(period: Period, today: str) -> str:
    earlier = previous(period)
    return standing(earlier, today) if earlier else period.first
