"""Units: change the tree, close a unit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.storage.aggregates import Fresh, Stored

from .. import words
from ..context import PEOPLE, UNITS, Context
from ..domain import units
from ..domain.units import Unit, UnitForm
from .saving import Put, Show, found, put


def put_unit(
    context: Context, actor: Actor, code: str, body: Mapping[str, Any], based_on: int | None, show: Show
) -> tuple[Stored[Unit], bool]:
    """The unit with this content, and whether it was created. The tree stays one tree."""
    when = context.when(body["effective_at"])

    def work(session: ClientSession) -> tuple[Stored[Unit], bool]:
        known = {id_: stored.state for id_, stored in context.store.all_units(session).items()}

        def build(before: Unit | None, since: datetime) -> Unit:
            form = UnitForm(since=since, name=body["name"], kind=body["kind"], parent=body["parent"])
            changed = units.put(before, code, form)
            if changed != before:
                units.check_tree(known, changed)
            return changed

        what = Put(code, "unit", based_on, build, show)
        return put(context.store.units, what, actor, when, session)

    return context.alone([UNITS], work)


def close_unit(
    context: Context, actor: Actor, code: str, effective_at: datetime | None, note: str | None, fresh: Fresh
) -> Stored[Unit]:
    """The unit, closed; unchanged if it was closed already. Refuses with `unit-in-use`."""
    asked = context.when(effective_at)

    def work(session: ClientSession) -> Stored[Unit]:
        stored = found(context.store.units.get(code, session), words.UNIT)
        if stored.state.now.state == "closed":
            return stored
        fresh(stored)
        when = asked.after(stored.effective_at)
        in_use = context.store.unit_in_use(code, when.effective_at, session)
        state = units.close(stored.state, when.effective_at, in_use=in_use)
        change = when.change("unit.closed", actor, note=note)
        return context.store.units.replace(stored, state, change, session=session)

    return context.alone([UNITS, PEOPLE], work)
