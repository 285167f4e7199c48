"""Sync: offline queues in, news out."""

from marshmallow import fields

from infra.web.fields import Body, Boolean, Free, Integer, OneOf, String, UuidStr, opt

from .sessions import FeedbackItem, SessionIn


class SyncedSession(SessionIn):
    """A session from a phone. base_version: what the change is based on; not given for a new one."""

    id = UuidStr(required=True)
    base_version = opt(Integer(least=1))


class SyncedStep(Body):
    """A transition from a phone."""

    id = UuidStr(required=True)
    base_version = opt(Integer(least=1))
    to = OneOf("held", "confirmed", "disputed", "cancelled", required=True)
    reason = opt(Free(max=2000))
    feedback = opt(fields.Nested(FeedbackItem()))


class SyncBody(Body):
    """What a phone has queued, 500 items in all, and the cursor of its last sync."""

    cursor = opt(String(max=1024))
    sessions = fields.List(fields.Nested(SyncedSession()))
    transitions = fields.List(fields.Nested(SyncedStep()))


class SyncFrame(Body):
    """The frame of a sync; each item is validated on its own, so that a bad one never loses the others."""

    cursor = opt(String(max=1024))
    sessions = fields.List(fields.Raw(allow_none=True), load_default=list)
    transitions = fields.List(fields.Raw(allow_none=True), load_default=list)


class SyncResult(Body):
    """What became of one item."""

    id = opt(fields.String(metadata={"description": "As it came; null where it was no text."}))
    status = OneOf("stored", "unchanged", "refused", required=True)
    version = opt(Integer())
    problem = opt(fields.Dict(metadata={"description": "As in application/problem+json."}))


class SyncChange(Body):
    """Something that has changed for this person; gone: it concerns them no longer."""

    type = OneOf("pairing", "session", "endorsement", "credit", required=True)
    id = UuidStr(required=True)
    gone = Boolean(required=True)
    data = opt(fields.Dict(metadata={"description": "The resource; null when gone."}))


class SyncOut(Body):
    """Results in the order of the items, then what is new; while `more`, ask again with the cursor."""

    results = fields.List(fields.Nested(SyncResult()), required=True)
    changes = fields.List(fields.Nested(SyncChange()), required=True)
    cursor = String(max=1024, required=True)
    more = Boolean(required=True)
