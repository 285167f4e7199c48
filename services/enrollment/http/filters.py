"""What the filters of lists mean to the database, within what the caller may see."""

import re
from collections.abc import Mapping
from typing import Any

from infra.actor import Actor
from infra.clock import day_of
from infra.problems import unknown

from .. import words
from ..commands import guides
from ..context import Context
from ..domain import access
from ..domain.access import Sight

Query = dict[str, Any]


def employee_filter(context: Context, actor: Actor, args: Mapping[str, Any]) -> Query:
    """`unit`, `q`, `may_guide`. 403 for a unit outside of the officer's."""
    conditions: list[Query] = []
    units = _units(context, context.sight(actor), args["unit"])
    if units is not None:
        conditions.append({"unit": {"$in": sorted(units)}})
    parts = (args["q"] or "").casefold().split()
    conditions.extend({"words": {"$regex": "^" + re.escape(part)}} for part in parts)
    if args["may_guide"] is not None:
        able: Query = {"_id": {"$in": guides.able(context)}, "active": True}
        conditions.append(able if args["may_guide"] else {"$nor": [able]})
    return {"$and": conditions} if conditions else {}


def pairing_filter(context: Context, actor: Actor, args: Mapping[str, Any]) -> Query:
    """`state`, `guide`, `learner`, `unit` (of the learner), `overdue`, among those that the actor may see."""
    sight = context.sight(actor)
    query: Query = {}
    for field, name in (("state", "state"), ("guide_id", "guide"), ("learner_id", "learner")):
        if args[name] is not None:
            query[field] = args[name]
    conditions = [query]
    if args["unit"] is not None:
        conditions.append({"learner_id": {"$in": context.store.people_of(_below(context, args["unit"]))}})
    if args["overdue"] is not None:
        late = _overdue(context)
        conditions.append(late if args["overdue"] else {"$nor": [late]})
    if not sight.everything:
        conditions.append(_seen_pairings(context, sight))
    return {"$and": conditions}


def participant_filter(context: Context, actor: Actor, batch_id: str, state: str | None) -> Query:
    """The participants of a batch whom the actor may see, in one state if given."""
    sight = context.sight(actor, reports=False)
    query: Query = {"batch_id": batch_id}
    if state is not None:
        query["state"] = state
    if sight.everything:
        return query
    return {**query, "$or": [{"own_unit": {"$in": sorted(sight.units)}}, {"employee_id": sight.own}]}


def _seen_pairings(context: Context, sight: Sight) -> Query:
    inside = context.store.people_of(sight.units)
    return {
        "$or": [
            {"guide_id": {"$in": [*inside, sight.own]}},
            {"learner_id": {"$in": [*inside, sight.own, *sight.reports]}},
        ]
    }


def _overdue(context: Context) -> Query:
    today = day_of(context.clock()).isoformat()
    return {"$or": [{"state": "active", "due_on": {"$lt": today}}, {"state": "proposed", "escalated": True}]}


def _units(context: Context, sight: Sight, unit: str | None) -> frozenset[str] | None:
    """The units asked for, None for all; 403 outside of what the actor sees, 404 for no unit at all."""
    if unit is None:
        return None if sight.everything else sight.units
    below = _below(context, unit)
    if not sight.everything:
        access.check_inside(unit, sight.units)
    return below


def _below(context: Context, unit: str) -> frozenset[str]:
    below = context.tree().below(unit)
    if not below:
        raise unknown(words.UNIT)
    return below
