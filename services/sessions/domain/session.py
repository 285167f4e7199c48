"""A session of a pairing: what the guide writes, and the steps it goes through (Programme rules, Session)."""

from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct, structs

from infra.actor import Actor
from infra.problems import FieldError, Refused, forbidden, invalid

from . import texts
from .copies import Kind, Pairing

Status = Literal["planned", "held", "confirmed", "disputed", "cancelled"]
Place = Literal["in_person", "online", "on_the_job"]

LEAST_MINUTES = 5
MOST_MINUTES = 480
CLOCK_SKEW = timedelta(minutes=5)
COUNTING: frozenset[Status] = frozenset({"held", "confirmed", "disputed"})
"""The states in which a session takes up its people's time."""


class Action(Struct, frozen=True, kw_only=True):
    """Something agreed on in a session."""

    text: str
    due_on: date | None = None
    done: bool = False


class Feedback(Struct, frozen=True, kw_only=True):
    """What the learner thought of the session. rating: 1-5."""

    rating: int
    comment: str | None = None


class Step(Struct, frozen=True, kw_only=True):
    """The last transition and who asked for it, so that a repeat is recognised."""

    to: Status
    by: str


class Content(Struct, frozen=True, kw_only=True):
    """What the guide writes; equal content is no change."""

    pairing_id: str
    status: Literal["planned", "held"]
    started_at: datetime
    minutes: int
    place: Place
    summary: str | None = None
    private_note: str | None = None
    assessed_level: int | None = None
    actions: tuple[Action, ...] = ()


class Session(Struct, frozen=True, kw_only=True):
    """One meeting. recorded_at: first stored; held_at: last became held; both by recording."""

    id: str
    pairing_id: str
    guide_id: str
    learner_id: str
    kind: Kind
    competency: str
    status: Status
    started_at: datetime
    minutes: int
    place: Place
    recorded_at: datetime
    summary: str | None = None
    private_note: str | None = None
    assessed_level: int | None = None
    actions: tuple[Action, ...] = ()
    held_at: datetime | None = None
    confirmed_at: datetime | None = None
    ever_disputed: bool = False
    dispute_reason: str | None = None
    feedback: Feedback | None = None
    last_step: Step | None = None

    @property
    def ends_at(self) -> datetime:
        """When the meeting was over."""
        return self.started_at + timedelta(minutes=self.minutes)

    @property
    def people(self) -> tuple[str, str]:
        """Guide and learner."""
        return self.guide_id, self.learner_id

    @property
    def counting(self) -> bool:
        """Whether it takes up its people's time."""
        return self.status in COUNTING

    @property
    def content(self) -> Content:
        """What the guide wrote last."""
        kept = {name: getattr(self, name) for name in Content.__struct_fields__ if name != "status"}
        return Content(status="planned" if self.held_at is None else "held", **kept)


def check_pairing(content: Content, pairing: Pairing, now: datetime) -> None:
    """The pairing was active at the start, and what was held has begun (5 minutes of clock skew are fine).

    While the pairing is only proposed as far as this service knows, the session is worth sending again: the
    second consent may be on its way, and may be dated back.
    """
    if content.status == "held" and content.started_at > now + CLOCK_SKEW:
        raise Refused("session-in-future", texts.IN_FUTURE)
    if not pairing.active_on(content.started_at):
        may_pass = True if pairing.state == "proposed" else None
        raise Refused("pairing-not-active", texts.PAIRING_NOT_ACTIVE, retry=may_pass)


def record(session_id: str, content: Content, pairing: Pairing, author: str, now: datetime) -> Session:
    """A new session. Refused: not-the-guide, session-in-future, pairing-not-active."""
    if author != pairing.guide_id:
        raise Refused("not-the-guide", texts.NOT_THE_GUIDE)
    check_pairing(content, pairing, now)
    return Session(
        id=session_id,
        guide_id=pairing.guide_id,
        learner_id=pairing.learner_id,
        kind=pairing.kind,
        competency=pairing.competency,
        recorded_at=now,
        held_at=now if content.status == "held" else None,
        **structs.asdict(content),
    )


def rewrite(
    session: Session, content: Content, pairing: Pairing, author: str, now: datetime, *, endorsed: bool
) -> Session:
    """The session with the guide's new content; a dispute and a changed confirmation make it `held` again.

    endorsed: whether its level is. Refused: not-the-guide, pairing-fixed, transition, endorsed,
    session-in-future, pairing-not-active.
    """
    if author != session.guide_id:
        raise Refused("not-the-guide", texts.NOT_THE_GUIDE)
    if content == session.content:
        return session
    _check_rewrite(session, content, endorsed=endorsed)
    becomes_held = session.held_at is None and content.status == "held"
    if becomes_held or content.started_at != session.started_at:
        check_pairing(content, pairing, now)
    changed = structs.replace(session, **(structs.asdict(content) | {"status": session.status}))
    if becomes_held or session.status == "disputed" or _confirmation_lost(session, content):
        return held_again(changed, now)
    return changed


def _check_rewrite(session: Session, content: Content, *, endorsed: bool) -> None:
    if session.status == "cancelled":
        raise Refused("transition", texts.CANCELLED_IS_FINAL)
    if content.pairing_id != session.pairing_id:
        raise Refused("pairing-fixed", texts.PAIRING_FIXED)
    if content.status == "planned" and session.held_at is not None:
        raise Refused("transition", texts.BACK_TO_PLANNED)
    if endorsed and _measured(session.content) != _measured(content):
        raise Refused("endorsed", texts.ENDORSED)


def _measured(content: Content) -> tuple[datetime, int, int | None]:
    return content.started_at, content.minutes, content.assessed_level


def _confirmation_lost(session: Session, content: Content) -> bool:
    return session.status == "confirmed" and _measured(session.content) != _measured(content)


def held_again(session: Session, now: datetime) -> Session:
    """The session waiting for its learner; no earlier confirmation, feedback or dispute stands any more."""
    return structs.replace(
        session,
        status="held",
        held_at=now,
        confirmed_at=None,
        feedback=None,
        dispute_reason=None,
        last_step=None,
    )


def repeats(session: Session, to: str, by: str) -> bool:
    """Whether the caller asks again for the step that was the last one, and theirs."""
    last = session.last_step
    return last is not None and session.status == to == last.to and last.by == by


STEPS: dict[tuple[Status, str], tuple[str, ...]] = {
    ("held", "confirmed"): ("learner",),
    ("held", "disputed"): ("learner",),
    ("planned", "cancelled"): ("guide",),
    ("held", "cancelled"): ("guide",),
    ("disputed", "cancelled"): ("guide", "hr"),
    ("disputed", "held"): ("hr",),
}
"""From, to: who may. What the guide reaches by PUT is not here."""


def step(
    session: Session, to: Status, actor: Actor, now: datetime, reason: str | None, feedback: Feedback | None
) -> Session:
    """The session after a transition. Refused: transition, not-the-guide, not-the-learner, 403."""
    allowed = STEPS.get((session.status, to))
    if allowed is None:
        raise Refused("transition", texts.STEP.format(state=session.status, to=to))
    _check_who(session, actor, allowed)
    last = Step(to=to, by=actor.sub)
    if to == "confirmed":
        return structs.replace(session, status=to, confirmed_at=now, feedback=feedback, last_step=last)
    if to == "disputed":
        return structs.replace(session, status=to, ever_disputed=True, dispute_reason=reason, last_step=last)
    if to == "held":
        return structs.replace(held_again(session, now), last_step=last)
    return structs.replace(session, status=to, last_step=last)


def check_request(to: str, reason: str | None, feedback: Feedback | None) -> None:
    """What a transition's body alone shows: a dispute needs a reason, feedback comes with a confirmation."""
    if to == "disputed" and not (reason and reason.strip()):
        raise invalid(FieldError("/reason", texts.REASON_NEEDED))
    if feedback is not None and to != "confirmed":
        raise invalid(FieldError("/feedback", texts.FEEDBACK_ON_CONFIRM))


def _check_who(session: Session, actor: Actor, allowed: tuple[str, ...]) -> None:
    parts = {
        "guide": actor.sub == session.guide_id,
        "learner": actor.sub == session.learner_id,
        "hr": actor.has("hr"),
    }
    if any(parts[part] for part in allowed):
        return
    if "learner" in allowed:
        raise Refused("not-the-learner", texts.NOT_THE_LEARNER)
    if "guide" in allowed:
        raise Refused("not-the-guide", texts.NOT_THE_GUIDE)
    raise forbidden(texts.HR_DECIDES)


def happening(before: Session | None, after: Session) -> str:
    """The event's type: `session.` and the state reached, or `session.changed` within a state."""
    if before is not None and before.status == after.status:
        return "session.changed"
    return f"session.{after.status}"
