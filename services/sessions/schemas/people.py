"""What people look up."""

from marshmallow import fields, validate

from infra.web.fields import (
    Body,
    Boolean,
    Code,
    Day,
    Instant,
    Integer,
    Level,
    OneOf,
    QueryInteger,
    String,
    UuidStr,
    opt,
)

from .common import KINDS, Versioned


class AssessedItem(Body):
    """A level that a confirmed session saw."""

    session_id = UuidStr(required=True)
    at = Instant(required=True)
    level = Level(required=True)


class LevelItem(Body):
    """An endorsed level, and what sessions assessed."""

    competency = Code(required=True)
    level = Level(required=True)
    assessed = fields.List(fields.Nested(AssessedItem()), required=True)


class GuidedItem(Body):
    """A pairing in which the person is guided. sessions: the confirmed ones."""

    id = UuidStr(required=True)
    competency = Code(required=True)
    target_level = Level(required=True)
    state = String(required=True)
    sessions = Integer(required=True)


class ProgressOut(Body):
    """What a person has reached."""

    employee_id = UuidStr(required=True)
    levels = fields.List(fields.Nested(LevelItem()), required=True)
    pairings = fields.List(fields.Nested(GuidedItem()), required=True)


class CreditsQuery(Body):
    """Which year, of Asia/Jakarta; the present one unless given."""

    year = opt(QueryInteger(validate=validate.Range(1900, 2200)))


class CreditItem(Body):
    """One entry of a person's JP."""

    on = Day(required=True)
    source = OneOf("sessions", "certification", "imported", required=True)
    session_id = opt(UuidStr())
    batch_id = opt(UuidStr())
    kind = opt(OneOf(*KINDS))
    jp = Integer(required=True)
    rule = opt(String())
    why = opt(String())


class SourcesItem(Body):
    """JP by where it comes from."""

    sessions = Integer(required=True)
    certification = Integer(required=True)
    imported = Integer(required=True)


class CreditsOut(Body):
    """A person's JP of a year; the total names its sources."""

    employee_id = UuidStr(required=True)
    year = Integer(required=True)
    total = Integer(required=True)
    sources = fields.Nested(SourcesItem(), required=True)
    items = fields.List(fields.Nested(CreditItem()), required=True)


class MeOut(Body):
    """The caller. reports: how many people they supervise directly."""

    id = String(required=True)
    name = opt(String())
    roles = fields.List(String(), required=True)
    unit = opt(Code())
    reports = Integer(required=True)


class PairingOut(Versioned):
    """A pairing as this service knows it. version: what enrollment told of it; its goal enrollment alone has."""

    id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    competency = Code(required=True)
    target_level = Level(required=True)
    due_on = opt(Day())
    state = String(required=True)
    guide_accepted = Boolean(required=True)
    learner_accepted = Boolean(required=True)
    overdue = Boolean(required=True)
    active_at = opt(Instant())
    ended_at = opt(Instant())
    guide_name = opt(String())
    learner_name = opt(String())


class DutyOut(Body):
    """Whether a direct report was guided in the last 90 days."""

    employee_id = UuidStr(required=True)
    name = opt(String())
    met = Boolean(required=True)
    by = opt(OneOf("own", "delegated"))
    last_on = opt(Day())
