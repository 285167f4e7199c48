"""Competencies, needs and gaps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.actor import Actor
from infra.problems import unknown
from infra.storage.aggregates import Stored

from .. import words
from ..context import Context
from ..domain import access, competencies
from ..domain.competencies import Competency, Demand, Gap, Need
from ..ids import need_id
from .saving import Put, Show, put


def put_competency(
    context: Context, actor: Actor, code: str, body: Mapping[str, Any], based_on: int | None, show: Show
) -> tuple[Stored[Competency], bool]:
    """The competency with this content, and whether it was created."""
    when = context.when(body["effective_at"])
    state = Competency(
        id=code,
        name=body["name"],
        name_en=body["name_en"],
        aspect=body["aspect"],
        description=body["description"],
    )
    what = Put[Competency](code, "competency", based_on, lambda *_: state, show)
    return put(context.store.competencies, what, actor, when)


def put_need(
    context: Context,
    actor: Actor,
    unit: str,
    competency: str,
    body: Mapping[str, Any],
    based_on: int | None,
    show: Show,
) -> tuple[Stored[Need], bool]:
    """What the unit needs of the competency, and whether this was its first statement."""
    if context.store.units.get(unit) is None:
        raise unknown(words.UNIT)
    access.check_unit(actor, unit, context.scope(actor))
    if context.store.competencies.get(competency) is None:
        raise unknown(words.COMPETENCY)
    when = context.when(body["effective_at"])
    id_ = need_id(unit, competency)

    def build(before: Need | None, since: datetime) -> Need:
        demand = Demand(since=since, people=body["people"], level=body["level"])
        return competencies.put_need(before, id_, unit, competency, demand)

    return put(context.store.needs, Put(id_, "need", based_on, build, show), actor, when)


def gaps(context: Context, units: frozenset[str]) -> list[Gap]:
    """What these units miss, by unit and competency. A closed unit misses nothing any more."""
    tree = context.tree()
    active = [code for code in units if tree.is_active(code)]
    needs = [stored.state for stored in context.store.needs.find({"unit": {"$in": active}})]
    levels = context.store.levels({need.unit for need in needs})
    found = [competencies.gap(need, levels.get((need.unit, need.competency), {})) for need in needs]
    return sorted((gap for gap in found if gap), key=lambda gap: (gap.unit, gap.competency))
