"""Answers to other services' events: an endorsed mastery gives the learner the level and completes the pairing."""

from datetime import datetime

from infra.messaging.envelope import Event
from infra.messaging.subscription import Subscription, on

from .commands.pairings import complete
from .commands.saving import update
from .context import SYSTEM, Context, When
from .domain.employees import Skill, with_mastery
from .events import ENDORSEMENTS, EndorsementSeen
from .store import employee_fields


class LearnerUnknown(Exception):
    """The learner of an endorsement is not recorded: the event goes to the dead letters to be looked at."""


def subscriptions(context: Context) -> list[Subscription]:
    """What enrollment listens to."""

    def endorsements(events: list[tuple[Event, EndorsementSeen]]) -> None:
        for event, seen in events:
            if seen.state == "endorsed":
                _give_level(context, event.subject, seen)
                complete(context, seen.pairing_id, seen.decided_at or event.time)

    return [on("endorsement", reader, endorsements, version=version) for version, reader in ENDORSEMENTS.items()]


def _give_level(context: Context, endorsement_id: str, seen: EndorsementSeen) -> None:
    """Records the level from the session's beginning on. Doing it again changes nothing."""
    now = context.clock()
    skill = Skill(
        competency=seen.competency,
        level=seen.level,
        since=seen.assessed_at,
        source="mastery",
        endorsement_id=endorsement_id,
    )

    known = update(
        context.store.employees,
        seen.learner_id,
        lambda employee: with_mastery(employee, skill),
        lambda _: When(now, _effective(seen.assessed_at, now)).change("employee.changed", SYSTEM),
        employee_fields,
    )
    if not known:
        raise LearnerUnknown


def _effective(at: datetime, now: datetime) -> datetime:
    """Phones' clocks run ahead by minutes: nothing takes effect in the future."""
    return min(at, now)
