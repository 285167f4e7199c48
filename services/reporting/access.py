"""Who may see which figures (Programme rules, Who may do what)."""

import logging

import msgspec

from infra.actor import Actor
from infra.problems import Text, forbidden, unknown
from services.reporting.domain.tree import Tree, is_within
from services.reporting.figures import Scope

log = logging.getLogger(__name__)

INSIDE = ("hr", "auditor")
"""They see the figures and records of every unit."""

NO_FIGURES = Text(
    "Anda hanya boleh melihat angka unit Anda dan unit di bawahnya.",
    "You may only see the figures of your unit and the units below it.",
)
CITY_ONLY = Text("Anda hanya boleh melihat angka seluruh kota.", "You may only see figures of the whole city.")
NO_RECORDS = Text("Anda hanya boleh melihat angka gabungan.", "You may only see aggregated figures.")
UNIT = Text("Unit itu", "That unit")


class Sight(msgspec.Struct, frozen=True):
    """What somebody may see. outside: small numbers of people are withheld from them."""

    scope: Scope
    outside: bool


def sight(actor: Actor, unit: str | None, tree: Tree, today: str) -> Sight:
    """What the caller may see of the unit (None: the city). Raises Refused, 403 or 404."""
    root = tree.root(today)
    wanted = unit or root
    if not actor.has(*INSIDE, "leader", "kpi_reader"):
        raise forbidden(NO_FIGURES)
    if wanted is None or not tree.knows(wanted):
        raise unknown(UNIT)
    scope = Scope(wanted, tree, today)
    if actor.has(*INSIDE):
        if actor.has("auditor"):
            log.info("an auditor reads figures", extra={"sub": actor.sub, "unit": wanted})
        return Sight(scope, outside=False)
    if actor.has("leader") and actor.unit and is_within(tree.path(wanted, today) or "", actor.unit):
        return Sight(scope, outside=False)
    if not actor.has("kpi_reader"):
        raise forbidden(NO_FIGURES)
    if wanted != root:
        raise forbidden(CITY_ONLY)
    return Sight(scope, outside=True)


def inside(actor: Actor, unit: str | None, tree: Tree, today: str) -> Scope:
    """As `sight`, for single records and units: not for those who see aggregates only."""
    seen = sight(actor, unit, tree, today)
    if seen.outside:
        raise forbidden(NO_RECORDS)
    return seen.scope
