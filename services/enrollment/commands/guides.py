"""Guide approvals, and on which grounds people may guide."""

from collections.abc import Mapping
from datetime import datetime

from pymongo.client_session import ClientSession

from infra.actor import Actor
from infra.storage.aggregates import Stored

from .. import words
from ..context import Context, employee_key
from ..domain import guides
from ..domain.employees import MASTERED, Employee
from ..domain.guides import Approval, Ground
from .saving import Post, found, repeated


def approve(
    context: Context, actor: Actor, post: Post, employee_id: str, competency: str, effective_at: datetime | None
) -> Stored[Approval]:
    """HR's approval that someone may guide in a competency that they have mastered."""
    when = context.when(effective_at)

    def work(session: ClientSession) -> Stored[Approval]:
        if again := repeated(context.store.approvals, post, session):
            return again
        employee = found(context.store.employees.get(employee_id, session), words.EMPLOYEE).state
        if context.store.competencies.get(competency, session) is None:
            raise words.missing("competency-unknown", words.COMPETENCY)
        known = [one.state for one in context.store.approvals.find({"employee_id": employee_id}, session=session)]
        guides.check_approval(employee, competency, when.effective_at, known)
        state = Approval(id=post.id, employee_id=employee_id, competency=competency, at=when.effective_at)
        change = when.change("approval.created", actor)
        return context.store.approvals.insert(state, change, session=session, extra=post.extra)

    return context.alone([employee_key(employee_id)], work)


def grounds(context: Context, people: Mapping[str, Employee]) -> dict[str, list[Ground]]:
    """On which grounds each of these may guide now."""
    now = context.clock()
    leading = context.store.with_reports(people)
    standings = context.store.standings(people)
    return {
        id_: guides.grounds(standing, has_reports=id_ in leading, at=now) for id_, standing in standings.items()
    }


def able(context: Context) -> list[str]:
    """Ids of all who may guide somebody now, the inactive among them included."""
    now, store = context.clock(), context.store
    approvals = [stored.state for stored in store.approvals.find({})]
    approved = store.employees.many({approval.employee_id for approval in approvals})
    masters = {
        approval.employee_id
        for approval in approvals
        if approved[approval.employee_id].state.level(approval.competency, now) >= MASTERED
    }
    return sorted(masters | store.representatives() | store.leading())
