"""What people look up about themselves and those they supervise."""

from collections import Counter
from datetime import datetime
from typing import Any

from infra.clock import Clock, day_of
from infra.storage.paging import page
from infra.web.auth import current_actor, require
from infra.web.blueprint import Blueprint
from infra.web.context import language
from infra.web.paging import PageArgs, list_of

from ..commands.access import READS_ALL, check_progress_of
from ..domain.copies import Pairing
from ..domain.credit import totals
from ..domain.progress import DUTY_WINDOW, duty, levels
from ..domain.session import Session
from ..schemas.people import CreditsOut, CreditsQuery, DutyOut, MeOut, PairingOut, ProgressOut
from ..store import Store, read_copy
from ..views import View, credit_item, pairing_view, wire
from .shown import note_reading


def employees(store: Store, clock: Clock) -> Blueprint:
    """`/employees`."""
    blp = Blueprint("employees", __name__, url_prefix="/employees", description="Progress and JP of people.")

    @blp.route("/<id:employee_id>/progress")
    @blp.response(200, ProgressOut())
    def progress(employee_id: str) -> View:
        """Show the levels and pairings of oneself, or of somebody one supervises."""
        actor, now = require("employee", *READS_ALL), clock()
        check_progress_of(store, actor, employee_id, now)
        note_reading(actor, "progress", [employee_id])
        confirmed = store.confirmed(employee_id)
        reached = levels(store.employee(employee_id), confirmed, now)
        return {
            "employee_id": employee_id,
            "levels": [_level(level) for level in reached],
            "pairings": _guided(store.pairings_of_learner(employee_id), confirmed),
        }

    @blp.route("/<id:employee_id>/credits")
    @blp.arguments(CreditsQuery(), location="query")
    @blp.response(200, CreditsOut())
    def credits_(query: dict[str, Any], employee_id: str) -> View:
        """Show the JP of a year, of oneself or of somebody one supervises."""
        actor, now = require("employee", *READS_ALL), clock()
        check_progress_of(store, actor, employee_id, now)
        note_reading(actor, "credits", [employee_id])
        year = query["year"] or day_of(now).year
        granted = store.credits_of(employee_id, year)
        sums = totals(granted)
        return {
            "employee_id": employee_id,
            "year": year,
            "total": sum(sums.values()),
            "sources": sums,
            "items": [credit_item(credit, language()) for credit in granted],
        }

    return blp


def _level(level: Any) -> View:
    assessed = [{"session_id": one.session_id, "at": wire(one.at), "level": one.level} for one in level.assessed]
    return {"competency": level.competency, "level": level.level, "assessed": assessed}


def _guided(pairings: list[Pairing], confirmed: list[Session]) -> list[View]:
    counts = Counter(session.pairing_id for session in confirmed)
    return [
        {
            "id": pairing.id,
            "competency": pairing.competency,
            "target_level": pairing.target_level,
            "state": pairing.state,
            "sessions": counts[pairing.id],
        }
        for pairing in pairings
    ]


def me(store: Store, clock: Clock) -> Blueprint:
    """`/me` and `/duties`."""
    blp = Blueprint("me", __name__, description="What concerns the caller.")

    @blp.route("/me")
    @blp.response(200, MeOut())
    def whoami() -> View:
        """Show who one is, the unit one acts for, and how many people one supervises."""
        actor = current_actor()
        employee = store.employee(actor.sub)
        placement = employee.placement_at(clock()) if employee else None
        return {
            "id": actor.sub,
            "name": store.names([actor.sub]).get(actor.sub),
            "roles": sorted(actor.roles),
            "unit": actor.unit or (placement.unit if placement else None),
            "reports": len(store.reports(actor.sub)),
        }

    @blp.route("/me/pairings")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(PairingOut))
    def pairings(query: dict[str, Any]) -> View:
        """List the pairings in which one guides or is guided, with the names of both."""
        actor = require("employee")
        rows, following = page(
            store.pairings.collection,
            {"people": actor.sub},
            sort=[("_id", 1)],
            limit=query["limit"],
            cursor=query["cursor"],
        )
        names = store.names(person for row in rows for person in row["people"])
        items = [pairing_view(row, read_copy(row, Pairing), names, clock()) for row in rows]
        return {"items": items, "next": following}

    @blp.route("/duties")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(DutyOut))
    def duties(query: dict[str, Any]) -> View:
        """List one's direct reports, and whether each was guided in the last 90 days."""
        actor = require("employee")
        rows, following = page(
            store.employees.collection,
            {"supervisor_id": actor.sub, "in_service": True},
            sort=[("_id", 1)],
            limit=query["limit"],
            cursor=query["cursor"],
            projection={"_id": 1},
        )
        ids = [row["_id"] for row in rows]
        return {"items": _duties(store, actor.sub, ids, clock()), "next": following}

    return blp


def _duties(store: Store, supervisor_id: str, ids: list[str], now: datetime) -> list[View]:
    names = store.names(ids)
    recent = store.confirmed_since(ids, now - DUTY_WINDOW)
    items = []
    for id_ in ids:
        found = duty(supervisor_id, (one for one in recent if one.learner_id == id_), now)
        last_on = day_of(found.last_at) if found.last_at else None
        own = {"employee_id": id_, "name": names.get(id_)}
        items.append(own | {"met": found.met, "by": found.by, "last_on": wire(last_on)})
    return items
