"""What a confirmation brings with it, in its transaction: the month's credits, and the question of mastery."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo.client_session import ClientSession

from infra.actor import system_actor
from infra.clock import JAKARTA
from infra.messaging.envelope import derived_id
from infra.storage.aggregates import Change, Stored

from ..domain import credit, endorsement
from ..domain.credit import Credit, Row
from ..domain.endorsement import Endorsement
from ..domain.session import Session
from ..store import Store, credit_id

SYSTEM = system_actor("sessions")


class Settling:
    """Keeps credits and endorsements in step with what is confirmed; to be called under guard of the learner."""

    def __init__(self, store: Store, table: Sequence[Row]) -> None:
        self._store = store
        self._table = table

    def settle(self, before: Session, after: Session, now: datetime, tx: ClientSession) -> None:
        """Draws the consequences of a saved change; none unless a confirmation came, went or changed."""
        if "confirmed" not in (before.status, after.status):
            return
        self._credit(before, after, now, tx)
        self._mastery(after, now, tx)

    # --- credit

    def _credit(self, before: Session, after: Session, now: datetime, tx: ClientSession) -> None:
        wanted: dict[str, Credit] = {}
        if after.status != "confirmed":
            lost = credit.from_session(credit_id(before.id), before, credit.NOT_CONFIRMED)
            wanted[lost.id] = lost
        months = {credit.month_of(one): one for one in (before, after) if one.status == "confirmed"}
        for one in months.values():
            wanted |= self._month(one, tx)
        known = self._store.credits.many(wanted, tx)
        for id_, state in wanted.items():
            self._save(known.get(id_), state, now, tx)

    def _month(self, session: Session, tx: ClientSession) -> dict[str, Credit]:
        """The credits of all confirmed sessions of that kind in that month, as they should be."""
        first, end = month_around(session.started_at)
        confirmed = self._store.confirmed(
            session.learner_id, tx, kind=session.kind, started_at={"$gte": first, "$lt": end}
        )
        worths = credit.worths(confirmed, self._table)
        ids = {one.id: credit_id(one.id) for one in confirmed}
        return {ids[one.id]: credit.from_session(ids[one.id], one, worths[one.id]) for one in confirmed}

    def _save(self, stored: Stored[Credit] | None, state: Credit, now: datetime, tx: ClientSession) -> None:
        if stored is None:
            self._store.credits.insert(state, by_system("credit.granted", now), session=tx)
        elif stored.state != state:
            self._store.credits.replace(stored, state, by_system("credit.changed", now), session=tx)

    # --- mastery

    def _mastery(self, session: Session, now: datetime, tx: ClientSession) -> None:
        requests = self._store.endorsements.find({"pairing_id": session.pairing_id}, session=tx)
        if not requests and session.assessed_level is None:
            return
        states = [self._withdraw_if_fallen(request, session, now, tx) for request in requests]
        target = endorsement.target_of(self._store.pairing(session.pairing_id, tx))
        if target is None:
            return
        confirmed = self._store.confirmed(session.learner_id, tx, pairing_id=session.pairing_id)
        asks = endorsement.candidate(target, confirmed, states)
        if asks is not None:
            self._ask(asks, len(states), now, tx)

    def _withdraw_if_fallen(
        self, request: Stored[Endorsement], session: Session, now: datetime, tx: ClientSession
    ) -> Endorsement:
        state = request.state
        if state.state != "open" or state.session_id != session.id or endorsement.holds(state, session):
            return state
        state = endorsement.withdrawn(state, now)
        self._store.endorsements.replace(request, state, by_system("endorsement.withdrawn", now), session=tx)
        return state

    def _ask(self, session: Session, asked_before: int, now: datetime, tx: ClientSession) -> None:
        chain = self._store.chain(session.learner_id, now, tx)
        endorser_id = endorsement.endorser(chain, session.guide_id, now)
        id_ = derived_id("endorsement", session.pairing_id, str(asked_before + 1))
        level = session.assessed_level or 0
        state = endorsement.opened(id_, session, level, endorser_id, now)
        change = by_system("endorsement.opened", now)
        self._store.endorsements.insert(state, change, session=tx, extra=followed_by(state))


def followed_by(state: Endorsement) -> dict[str, list[str]]:
    """Derived field: everybody whose sync tells of the endorsement, if only that it is gone."""
    return {"people": sorted(state.viewers() | set(state.former_endorsers))}


def by_system(type_: str, now: datetime) -> Change:
    """A change that follows from another one."""
    return Change(type=type_, actor=SYSTEM, at=now, effective_at=now)


def month_around(instant: datetime) -> tuple[datetime, datetime]:
    """The Jakarta month of the instant: its first moment, and the first of the next month."""
    local = instant.astimezone(JAKARTA)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following
