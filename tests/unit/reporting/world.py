"""A small made-up city with a past: who was where, what happened, and the events that tell of it."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from infra.clock import to_wire
from infra.messaging.envelope import Event, derived_id

FIRST_DAY = date(2016, 11, 20)
DAYS = 150
TODAY = date(2017, 5, 10)
COMPETENCIES = ("surat", "layanan")
KINDS = {
    "C": "city",
    "A1": "agency",
    "A2": "agency",
    "D1": "district",
    "V1": "village",
    "S1": "section",
    "S2": "section",
}
PARENTS = {"C": None, "A1": "C", "A2": "C", "D1": "C", "V1": "D1", "S1": "A1", "S2": "V1"}

Fields = dict[str, Any]


@dataclass
class World:
    """The aggregates as they stand in the end, and every state that each of them ever had."""

    final: dict[str, dict[str, Fields]] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)

    def tell(self, aggregate: str, id_: str, key: str, states: list[Fields]) -> None:
        """The aggregate went through these states, the last of which stands."""
        self.final.setdefault(aggregate, {})[id_] = states[-1]
        for number, data in enumerate(states, start=1):
            self.told.append(event(f"{aggregate}.changed", id_, number, data, key=key))

    def all(self, aggregate: str) -> list[Fields]:
        """The final states of one kind."""
        return list(self.final.get(aggregate, {}).values())


def event(
    type_: str, subject: str, seq: int, data: Fields, *, key: str | None = None, at: datetime | None = None
) -> Event:
    """An event as a consumer gets it."""
    time = at or datetime(2017, 5, 1, tzinfo=UTC)
    return Event(
        id=derived_id(type_, subject, str(seq)),
        source="test",
        type=type_,
        version=1,
        subject=subject,
        seq=seq,
        time=time,
        effective_at=time,
        key=key or subject,
        body=json.dumps(data).encode(),
    )


def instant(chance: random.Random) -> datetime:
    """Some moment of the world's time, at any hour; often in the same few days, so that days are shared."""
    days = chance.choice([chance.randrange(DAYS), chance.choice([10, 41, 42, 72, 100])])
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(
        days=days, minutes=chance.randrange(24 * 60)
    )


def moments(chance: random.Random, count: int) -> list[datetime]:
    """Some moments in order, all different."""
    return sorted({instant(chance) for _ in range(count)})


def city(seed: int, people: int = 6, sessions: int = 25) -> World:
    """A world made by chance: the same seed gives the same."""
    chance = random.Random(seed)
    world = World()
    _units(world, chance)
    ids = [derived_id("person", str(seed), str(number)) for number in range(people)]
    for id_ in ids:
        _person(world, chance, id_)
    for number in range(sessions):
        _session(world, chance, derived_id("session", str(seed), str(number)), chance.choice(ids))
        _credit(world, chance, derived_id("credit", str(seed), str(number)), chance.choice(ids))
    _needs(world, chance)
    _training(world, chance, ids)
    return world


def _prefixes(data: Fields, *names: str) -> list[Fields]:
    """The aggregate as it was told while its histories grew."""
    longest = max(len(data[name]) for name in names)
    return [data | {name: data[name][: max(1, n)] for name in names} for n in range(1, longest + 1)]


def _units(world: World, chance: random.Random) -> None:
    start = to_wire(datetime(2016, 1, 1, tzinfo=UTC))
    for code, parent in PARENTS.items():
        history = [{"from": start, "name": code, "kind": KINDS[code], "parent": parent, "state": "active"}]
        if code in ("S1", "S2", "V1"):
            for at in moments(chance, chance.randrange(3)):
                above = chance.choice(["A1", "A2", "D1"])
                state = chance.choice(["active", "closed"])
                history.append(history[0] | {"from": to_wire(at), "parent": above, "state": state})
        world.tell("unit", code, code, _prefixes({"code": code, "history": history}, "history"))


def _person(world: World, chance: random.Random, id_: str) -> None:
    history = [
        {
            "from": to_wire(at),
            "unit": chance.choice(list(PARENTS)),
            "active": number == 0 or chance.random() < 0.7,
            "supervisor_id": None,
            "status": "pns",
        }
        for number, at in enumerate(moments(chance, chance.randrange(1, 5)))
    ]
    skills = [
        {
            "competency": chance.choice(COMPETENCIES),
            "level": chance.randrange(5),
            "since": to_wire(at),
            "source": chance.choice(["import", "mastery"]),
            "endorsement_id": derived_id("endorsement", id_, str(number)),
        }
        for number, at in enumerate(moments(chance, chance.randrange(4)))
    ]
    states = _prefixes(
        {"id": id_, "active": True, "history": history, "skills": skills or []}, "history", "skills"
    )
    for state in states:
        state["skills"] = state["skills"] if skills else []
    world.tell("employee", id_, id_, states)


def _session(world: World, chance: random.Random, id_: str, learner: str) -> None:
    base = {"id": id_, "learner_id": learner, "guide_id": "g", "kind": chance.choice(["coaching", "mentoring"])}
    states = [
        base
        | {
            "status": chance.choice(["planned", "held", "confirmed", "confirmed", "disputed", "cancelled"]),
            "started_at": to_wire(instant(chance)),
            "minutes": chance.choice([30, 45, 61]),
        }
        for _ in range(chance.randrange(1, 4))
    ]
    world.tell("session", id_, learner, states)


def _credit(world: World, chance: random.Random, id_: str, learner: str) -> None:
    states = [
        {
            "id": id_,
            "learner_id": learner,
            "on": instant(chance).date().isoformat(),
            "jp": chance.choice([0, 2, 7, 12, None]),
        }
        for _ in range(chance.randrange(1, 3))
    ]
    world.tell("credit", id_, learner, states)


def _needs(world: World, chance: random.Random) -> None:
    for unit in PARENTS:
        for competency in COMPETENCIES:
            history = [
                {"from": to_wire(at), "people": chance.randrange(4), "level": chance.randrange(1, 5)}
                for at in moments(chance, chance.randrange(1, 3))
            ]
            id_ = derived_id("need", unit, competency)
            data = {"unit": unit, "competency": competency, "history": history}
            world.tell("need", id_, id_, _prefixes(data, "history"))


def _training(world: World, chance: random.Random, people: list[str]) -> None:
    for state in ("finished", "cancelled"):
        batch = derived_id("batch", state)
        starts = instant(chance).date().isoformat()
        world.tell("batch", batch, batch, [{"id": batch, "state": state, "starts_on": starts}])
        for person in people:
            _participant(world, chance, batch, person)


def _participant(world: World, chance: random.Random, batch: str, person: str) -> None:
    path = chance.choice(
        [
            ["nominated"],
            ["nominated", "accepted"],
            ["nominated", "declined"],
            ["nominated", "accepted", "attended"],
            ["nominated", "accepted", "attended", "certified"],
            ["nominated", "accepted", "absent"],
        ]
    )
    times = sorted(instant(chance) for _ in path)
    history = [
        {"state": state, "at": to_wire(at), "recorded_at": to_wire(at)}
        for state, at in zip(path, times, strict=True)
    ]
    id_ = derived_id("participant", batch, person)
    base: Fields = {"id": id_, "batch_id": batch, "employee_id": person, "own_unit": chance.choice(list(PARENTS))}
    states = [
        base
        | {
            "state": history[n]["state"],
            "history": history[: n + 1],
            "certified_at": history[n]["at"] if history[n]["state"] == "certified" else None,
        }
        for n in range(len(history))
    ]
    world.tell("participant", id_, id_, states)


def shuffled(world: World, seed: int) -> list[list[Event]]:
    """The events in any order, some of them twice, in batches of any size."""
    chance = random.Random(seed)
    events = world.told + chance.sample(world.told, len(world.told) // 3)
    chance.shuffle(events)
    batches = []
    while events:
        size = chance.choice([1, 3, 20, 80])
        batches.append(events[:size])
        events = events[size:]
    return batches
