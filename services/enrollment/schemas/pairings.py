"""Pairings."""

from infra.web.fields import Boolean, Code, Day, Effective, Free, Instant, Level, OneOf, QueryBoolean, UuidStr, opt

from .common import UnitArgs, Versioned, transition

KINDS = ("coaching", "mentoring")
STATES = ("proposed", "active", "completed", "ended")


class PairingIn(Effective):
    """Who is to guide whom, towards which level of what, by when."""

    kind = OneOf(*KINDS, required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    competency = Code(required=True)
    target_level = Level(required=True, least=1)
    due_on = Day(required=True)
    goal = opt(Free(max=2000))


class PairingOut(Versioned):
    """A pairing as it is now. reason: why it ended, for HR only."""

    id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    competency = Code(required=True)
    target_level = Level(required=True)
    due_on = Day(required=True)
    goal = opt(Free())
    state = OneOf(*STATES, required=True)
    guide_accepted = Boolean(required=True)
    learner_accepted = Boolean(required=True)
    overdue = Boolean(required=True)
    active_at = opt(Instant())
    ended_at = opt(Instant())
    reason = opt(Free())


class PairingArgs(UnitArgs):
    """Filters of the list; unit: that of the learner, with all below it."""

    state = opt(OneOf(*STATES))
    guide = opt(UuidStr())
    learner = opt(UuidStr())
    overdue = opt(QueryBoolean())


pairing_in = PairingIn()
pairing_out = PairingOut()
pairing_args = PairingArgs()
pairing_transition = transition("Pairing", "accepted", "declined", "active", "ended", "completed")
