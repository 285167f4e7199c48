"""Who may see what; what one must not know exists is 404."""

from datetime import datetime

from infra.actor import Actor
from infra.problems import Refused, forbidden, unknown
from infra.storage.aggregates import Stored

from ..domain import texts
from ..domain.endorsement import Endorsement
from ..domain.session import Session
from ..store import Store

READS_ALL = ("hr", "auditor")


class Outdated(Exception):
    """The content would change, but not on the base of the version that is stored.

    based_on None: the caller didn't say on which version the change is based.
    """

    def __init__(self, stored: Stored[Session], based_on: int | None) -> None:
        super().__init__(f"based on {based_on}, stored {stored.version}")
        self.stored = stored
        self.based_on = based_on


def visible_session(store: Store, actor: Actor, session_id: str) -> Stored[Session]:
    """The session, for its guide, its learner, HR and auditors; 404 for everybody else."""
    stored = store.sessions.get(session_id)
    if stored is None or not may_see(actor, stored):
        raise unknown(texts.SESSION)
    return stored


def may_see(actor: Actor, stored: Stored[Session]) -> bool:
    """Whether the actor may know that the session exists."""
    return actor.sub in stored.state.people or actor.has(*READS_ALL)


def visible_endorsement(store: Store, actor: Actor, endorsement_id: str) -> Stored[Endorsement]:
    """The endorsement, for those whom it concerns, HR and auditors; 404 for everybody else."""
    stored = store.endorsements.get(endorsement_id)
    if stored is None or not (actor.sub in stored.state.viewers() or actor.has(*READS_ALL)):
        raise unknown(texts.ENDORSEMENT)
    return stored


def check_progress_of(store: Store, actor: Actor, employee_id: str, now: datetime) -> None:
    """Progress and credit are open to oneself, to one's supervisors, HR and auditors; 403 to others.

    Others get 403 for people who don't exist as well, so that they learn nothing. HR gets 404 for these.
    """
    if actor.sub == employee_id and actor.has("employee"):
        return
    if actor.has(*READS_ALL):
        if store.employee(employee_id) is None:
            raise unknown(texts.EMPLOYEE)
        return
    if not actor.has("employee") or all(boss.id != actor.sub for boss in store.chain(employee_id, now)):
        raise forbidden(texts.NOT_YOUR_REPORT)


def effective_time(actor: Actor, given: datetime | None, previous: datetime, now: datetime) -> datetime:
    """When a step takes effect: HR may date it, but not before the previous one."""
    if given is None:
        return now
    if not actor.has("hr"):
        raise forbidden(texts.EFFECTIVE_NOT_YOURS)
    if given < previous:
        raise Refused("effective-order", texts.EFFECTIVE_ORDER)
    return given
