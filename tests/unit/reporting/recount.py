"""The figures of a world counted again, naively, day by day: shares no rule's code with the service."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit.reporting.world import World

JAKARTA = ZoneInfo("Asia/Jakarta")
COVERED = ("agency", "district", "village")


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day_of(text: str) -> date:
    return read(text).astimezone(JAKARTA).date()


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, JAKARTA).astimezone(UTC)


class Recount:
    """Asks the final states of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.units = {unit["code"]: unit["history"] for unit in world.all("unit")}
        self.people = {person["id"]: person for person in world.all("employee")}
        self._chains: dict[tuple[str, date], list[str]] = {}
        self._stays: dict[tuple[str, date], tuple[str | None, bool]] = {}

    def latest(self, history: list[Any], day: date, key: str = "from") -> Any:
        before = [entry for entry in history if read(entry[key]) < end_of(day)]
        return before[-1] if before else None

    def chain(self, code: str, day: date) -> list[str]:
        if (code, day) not in self._chains:
            codes = []
            at: str | None = code
            while at is not None:
                codes.append(at)
                at = (self.latest(self.units[at], day) or self.units[at][0])["parent"]
            self._chains[code, day] = codes
        return self._chains[code, day]

    def stay(self, person: str, day: date) -> tuple[str | None, bool]:
        """The unit that the person's happenings of that day belong to, and whether they were active on it."""
        if (person, day) not in self._stays:
            history = self.people[person]["history"]
            before = self.latest(history, day - timedelta(days=1))
            during = [entry for entry in history if day_of(entry["from"]) == day]
            states = ([before] if before else []) + during
            active = [state for state in states if state["active"]]
            chosen = active[-1] if active else (states[-1] if states else None)
            self._stays[person, day] = (chosen["unit"], bool(active)) if chosen else (None, False)
        return self._stays[person, day]

    def numbers(self, unit: str, first: date, last: date, today: date) -> dict[str, int]:
        """All numbers of one unit with all below it, from `first` to `last`."""
        found: dict[str, int] = defaultdict(int)
        self._happenings(found, unit, first, last)
        self._credits(found, unit, first, last)
        end = min(last, today)
        self._training(found, unit, first, last)
        self._stocks(found, unit, end)
        found["gaps_closed"] = self._closed(unit, first, last)
        return {name: number for name, number in found.items() if number}

    def inside(self, code: str | None, day: date, unit: str) -> bool:
        return code is not None and unit in self.chain(code, day)

    def active(self, unit: str, first: date, last: date) -> set[str]:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        found = set()
        for person in self.people:
            for day in days:
                code, active = self.stay(person, day)
                if active and self.inside(code, day, unit):
                    found.add(person)
                    break
        return found

    def _happenings(self, found: dict[str, int], unit: str, first: date, last: date) -> None:
        reached = set()
        for session in self.world.all("session"):
            day = day_of(session["started_at"])
            code, active = self.stay(session["learner_id"], day)
            if not (first <= day <= last and self.inside(code, day, unit)):
                continue
            if session["status"] in ("held", "confirmed", "disputed"):
                found[session["status"]] += 1
            if session["status"] == "confirmed":
                found[session["kind"]] += 1
                found[session["kind"] + "_minutes"] += session["minutes"]
                if active:
                    reached.add(session["learner_id"])
        found["reached"] = len(reached)

    def _credits(self, found: dict[str, int], unit: str, first: date, last: date) -> None:
        total: dict[str, int] = defaultdict(int)
        for credit in self.world.all("credit"):
            day, jp = date.fromisoformat(credit["on"]), credit["jp"] or 0
            if first <= day <= last and self.inside(self.stay(credit["learner_id"], day)[0], day, unit):
                found["jp"] += jp
            if date(first.year, 1, 1) <= day <= last:
                total[credit["learner_id"]] += jp
        active = self.active(unit, first, last)
        found["active"] = len(active)
        found["jp20"] = sum(total[person] >= 20 for person in active)

    def _training(self, found: dict[str, int], unit: str, first: date, last: date) -> None:
        states = ["nominated", "accepted", "attended", "certified"]
        beyond = {"absent": 1, "declined": 0, **{state: n for n, state in enumerate(states)}}
        for participant in self.world.all("participant"):
            batch = self.world.final["batch"][participant["batch_id"]]
            day = date.fromisoformat(batch["starts_on"])
            if first <= day <= last and self.inside(participant["own_unit"], day, unit):
                for state in states[: beyond[participant["state"]] + 1]:
                    found[state] += 1

    def _own_unit(self, person: str, day: date) -> str | None:
        state = self.latest(self.people[person]["history"], day)
        return state["unit"] if state and state["active"] else None

    def _stocks(self, found: dict[str, int], unit: str, day: date) -> None:
        guides = {
            p["employee_id"]
            for p in self.world.all("participant")
            if p["state"] == "certified" and day_of(p["certified_at"]) <= day
        }
        homes = [code for person in guides if (code := self._own_unit(person, day))]
        found["representatives"] = sum(self.inside(code, day, unit) for code in homes)
        kinds = {code: self.latest(history, day) for code, history in self.units.items()}
        coverable = {
            code
            for code, state in kinds.items()
            if state and state["kind"] in COVERED and state["state"] == "active" and self.inside(code, day, unit)
        }
        nearest = {
            next((c for c in self.chain(code, day) if kinds[c] and kinds[c]["kind"] in COVERED), None)
            for code in homes
        }
        found["coverable"], found["covered"] = len(coverable), len(coverable & nearest)
        closed = {code for code, state in kinds.items() if state and state["state"] == "closed"}
        found["gaps_open"] = sum(
            self._missing(need, day)
            for need in self.world.all("need")
            if need["unit"] not in closed and self.inside(need["unit"], day, unit)
        )

    def _level(self, person: str, competency: str, until: datetime) -> int:
        records = [
            s for s in self.people[person]["skills"] if s["competency"] == competency and read(s["since"]) < until
        ]
        return int(records[-1]["level"]) if records else 0

    def _missing(self, need: Any, day: date) -> int:
        state = self.latest(need["history"], day)
        if state is None:
            return 0
        staff = [person for person in self.people if self._own_unit(person, day) == need["unit"]]
        levels = [self._level(person, need["competency"], end_of(day)) for person in staff]
        return max(0, int(state["people"]) - len([level for level in levels if level >= state["level"]]))

    def _closed(self, unit: str, first: date, last: date) -> int:
        needs = {(need["unit"], need["competency"]): need["history"] for need in self.world.all("need")}
        closed = 0
        for id_, person in self.people.items():
            for skill in person["skills"]:
                day = day_of(skill["since"])
                code, _ = self.stay(id_, day)
                if skill["source"] != "mastery" or not first <= day <= last or not self.inside(code, day, unit):
                    continue
                need = self.latest(needs[code or "", skill["competency"]], day)
                before = self._level(id_, skill["competency"], read(skill["since"]))
                closed += bool(need and need["people"] and before < need["level"] <= skill["level"])
        return closed
