"""Endorsements, as they come in and go out."""

from infra.web.fields import Code, Effective, Free, Level, OneOf, UuidStr, opt
from infra.web.paging import PageArgs

from .common import DECISIONS, Versioned


class EndorsementOut(Versioned):
    """Whether a learner has mastered a level. endorser_id null: HR decides."""

    id = UuidStr(required=True)
    pairing_id = UuidStr(required=True)
    session_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    endorser_id = opt(UuidStr())
    competency = Code(required=True)
    level = Level(required=True)
    state = OneOf("open", *DECISIONS, "withdrawn", required=True)


class EndorsementQuery(PageArgs):
    """Which endorsements."""

    state = opt(OneOf("open", *DECISIONS, "withdrawn"))


class EndorsementStep(Effective):
    """The endorser's answer. effective_at is HR's."""

    to = OneOf(*DECISIONS, required=True)
    reason = opt(Free(max=2000))
