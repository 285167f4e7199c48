"""The documents in which facts and people are kept, and back."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from services.reporting.domain.contributions import CreditFact, Fact, SessionFact
from services.reporting.domain.gaps import Need, NeedState
from services.reporting.domain.people import Mastery, Person, Place, Skill, Stint
from services.reporting.domain.training import Batch, Participant, Step
from services.reporting.domain.tree import SEPARATOR, Unit, UnitState

Document = dict[str, Any]

SHAPE = 3
"""The number of the shape in which this release stores figures: of documents, and of what is counted in them.

To be counted up by every change after which figures stored before can't be gone on with; workers then count
everything anew beside what is shown (docs/decisions/0034).
"""

UNNUMBERED = 1
"""Stands for all shapes from before they were numbered."""

READABLE = frozenset((UNNUMBERED, 2))
"""Other shapes whose figures, but not whose records, this release can show until it has its own."""


def of_fact(fact: Fact, shard: int) -> Document:
    """A session or a credit as it is stored."""
    document: Document = msgspec.structs.asdict(fact)
    document["_id"] = document.pop("id")
    document["shard"] = shard
    return document


def session_fact(document: Document) -> SessionFact:
    """The session of the document."""
    return SessionFact(
        id=document["_id"],
        seq=document["seq"],
        person=document["person"],
        kind=document["kind"],
        status=document["status"],
        minutes=document["minutes"],
        at=document["at"],
        day=document["day"],
        path=document["path"],
        active=document["active"],
    )


def credit_fact(document: Document) -> CreditFact:
    """The credit of the document."""
    return CreditFact(
        id=document["_id"],
        seq=document["seq"],
        person=document["person"],
        jp=document["jp"],
        day=document["day"],
        path=document["path"],
        active=document["active"],
    )


def of_person(person: Person, before: Person | None = None) -> Document:
    """A person as stored, without `_id` and shard, or only what is another than before, for a `$set`.

    Placements and months stand in lists, since codes may hold dots.
    """
    changed: Document = {
        name: write(value)
        for name, write in _OF_PERSON.items()
        if (value := getattr(person, name)) is not getattr(before, name, _NOTHING)
    }
    if before is None:
        reached = {year: _reached_rows(amounts) for year, amounts in person.reached.items()}
        return changed | {"reached": reached, "jp": {year: _jp_rows(jp) for year, jp in person.jp.items()}}
    for year, amounts in person.reached.items():
        if amounts is not before.reached.get(year):
            changed[f"reached.{year}"] = _reached_rows(amounts)
    for year, jp in person.jp.items():
        if jp is not before.jp.get(year):
            changed[f"jp.{year}"] = _jp_rows(jp)
    return changed


_NOTHING = object()
_OF_PERSON: Mapping[str, Callable[[Any], Any]] = {
    "seq": int,
    "tree": int,
    "history": msgspec.to_builtins,
    "skills": msgspec.to_builtins,
    "places": msgspec.to_builtins,
}


def _reached_rows(amounts: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    return [[month, path, n] for (month, path), n in amounts.items()]


def _jp_rows(amounts: Mapping[str, int]) -> list[list[Any]]:
    return [[month, n] for month, n in amounts.items()]


def fields_of_years(years: Iterable[str]) -> dict[str, int]:
    """A projection of people: all but the months of other years."""
    months = [f"{name}.{year}" for name in ("reached", "jp") for year in years]
    return dict.fromkeys([*_OF_PERSON, *months], 1)


def person(document: Document) -> Person:
    """The person of the document; when only some years were read, with the months of these."""
    return Person(
        id=document["_id"],
        seq=document["seq"],
        tree=document["tree"],
        history=stints(document),
        skills=tuple(Skill(*row) for row in document["skills"]),
        places=tuple(Place(*row) for row in document["places"]),
        reached={year: {(m, path): n for m, path, n in rows} for year, rows in document["reached"].items()},
        jp={year: dict(rows) for year, rows in document["jp"].items()},
    )


def stints(document: Document) -> tuple[Stint, ...]:
    """The person's units alone."""
    return tuple(Stint(*row) for row in document["history"])


def of_mastery(mastery: Mastery, shard: int) -> Document:
    """A mastery as stored, with the codes of its placement for the index."""
    document: Document = msgspec.structs.asdict(mastery)
    document["_id"] = document.pop("id")
    return document | {"shard": shard, "codes": mastery.path.split(SEPARATOR)}


def mastery(document: Document) -> Mastery:
    """The mastery of the document."""
    fields = {name: document[name] for name in Mastery.__struct_fields__ if name != "id"}
    return Mastery(id=document["_id"], **fields)


def of_unit(unit: Unit) -> Document:
    """A unit as stored, without `_id` and `seq`."""
    return {"history": [msgspec.structs.astuple(state) for state in unit.history]}


def unit(document: Document) -> Unit:
    """The unit of the document."""
    return Unit(document["_id"], tuple(UnitState(*row) for row in document["history"]))


def of_need(need: Need) -> Document:
    """A need as stored, without `_id` and `seq`."""
    history = [msgspec.structs.astuple(state) for state in need.history]
    return {"unit": need.unit, "competency": need.competency, "history": history}


def need(document: Document) -> Need:
    """The need of the document."""
    history = tuple(NeedState(*row) for row in document["history"])
    return Need(document["_id"], document["unit"], document["competency"], history)


def of_batch(batch: Batch) -> Document:
    """A batch as stored, without `_id` and `seq`."""
    return {"starts_on": batch.starts_on}


def batch(document: Document) -> Batch:
    """The batch of the document."""
    return Batch(document["_id"], document["starts_on"])


def of_participant(participant: Participant) -> Document:
    """A participant as stored, without `_id` and `seq`."""
    document: Document = msgspec.structs.asdict(participant)
    del document["id"]
    return document | {"history": [msgspec.structs.astuple(step) for step in participant.history]}


def participant(document: Document) -> Participant:
    """The participant of the document."""
    fields = {name: document[name] for name in Participant.__struct_fields__ if name not in ("id", "history")}
    return Participant(id=document["_id"], history=tuple(Step(*row) for row in document["history"]), **fields)
