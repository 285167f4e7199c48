"""Sessions, as they come in and go out."""

from marshmallow import fields, validate

from infra.web.fields import (
    Body,
    Boolean,
    Code,
    Day,
    Effective,
    Free,
    Instant,
    Integer,
    Level,
    OneOf,
    String,
    UuidStr,
    opt,
)
from infra.web.paging import PageArgs

from ..domain.session import LEAST_MINUTES, MOST_MINUTES
from .common import KINDS, MOST_ACTIONS, STATUSES, Moment, Versioned


class ActionItem(Body):
    """Something agreed on in a session."""

    text = String(max=500, required=True)
    due_on = opt(Day())
    done = Boolean(required=True)


class FeedbackItem(Body):
    """The learner's word on a session."""

    rating = Integer(least=1, most=5, required=True)
    comment = opt(Free(max=2000))


class SessionIn(Body):
    """What the guide writes."""

    pairing_id = UuidStr(required=True)
    status = OneOf("planned", "held", required=True)
    started_at = Instant(required=True)
    minutes = Integer(least=LEAST_MINUTES, most=MOST_MINUTES, required=True)
    place = OneOf("in_person", "online", "on_the_job", required=True)
    summary = opt(Free(max=4000))
    private_note = opt(Free(max=4000, metadata={"description": "For the guide alone."}))
    assessed_level = opt(Level())
    actions = opt(fields.List(fields.Nested(ActionItem()), validate=validate.Length(max=MOST_ACTIONS)))


class CreditOfSession(Body):
    """What a confirmed session earned; with jp 0 the rule, and why."""

    jp = Integer(required=True)
    rule = opt(String())
    why = opt(String())


class SessionOut(Versioned):
    """One meeting of a pairing. private_note: null but for its guide. feedback: null but for learner and HR."""

    id = UuidStr(required=True)
    pairing_id = UuidStr(required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    competency = Code(required=True)
    status = OneOf(*STATUSES, required=True)
    started_at = Instant(required=True)
    minutes = Integer(required=True)
    place = OneOf("in_person", "online", "on_the_job", required=True)
    summary = opt(Free())
    private_note = opt(Free())
    assessed_level = opt(Level())
    actions = fields.List(fields.Nested(ActionItem()), required=True)
    dispute_reason = opt(Free())
    feedback = opt(fields.Nested(FeedbackItem()))
    credit = opt(fields.Nested(CreditOfSession()))


class SessionQuery(PageArgs):
    """Which sessions; `from` and `to` are times or Jakarta days, a day as `to` is included."""

    pairing = opt(UuidStr())
    since = opt(Moment(data_key="from"))
    until = opt(Moment(data_key="to", whole_day=True))
    status = opt(OneOf(*STATUSES))


class SessionStep(Effective):
    """A transition of a session. effective_at is HR's."""

    to = OneOf("held", "confirmed", "disputed", "cancelled", required=True)
    reason = opt(Free(max=2000))
    feedback = opt(fields.Nested(FeedbackItem()))
