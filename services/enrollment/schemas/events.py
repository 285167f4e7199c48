"""The data of each event: ids, codes, dates and numbers; no name of a person, no free text about one."""

from marshmallow import Schema, fields

from infra.web.fields import Boolean, Code, Day, Email, Instant, Integer, Level, OneOf, String, UuidStr, opt

from ..domain.participants import STATES
from .batches import BATCH_STATES, POSITION_KINDS
from .pairings import KINDS
from .pairings import STATES as PAIRING_STATES
from .units import KINDS as UNIT_KINDS


class UnitForm(Schema):
    """What a unit was like from an instant on."""

    since = Instant(required=True, data_key="from")
    name = String(required=True)
    kind = OneOf(*UNIT_KINDS, required=True)
    parent = opt(Code())
    state = OneOf("active", "closed", required=True)


class UnitData(Schema):
    """A place in the organisation tree, as it is and as it was."""

    code = Code(required=True)
    name = String(required=True)
    kind = OneOf(*UNIT_KINDS, required=True)
    parent = opt(Code())
    state = OneOf("active", "closed", required=True)
    history = fields.List(fields.Nested(UnitForm()), required=True)


class PlacementData(Schema):
    """Where somebody was, and under whom, from an instant on."""

    since = Instant(required=True, data_key="from")
    unit = Code(required=True)
    supervisor_id = opt(UuidStr())
    active = Boolean(required=True)
    status = OneOf("pns", "cpns", "pppk", required=True)
    position_kind = opt(OneOf(*POSITION_KINDS))
    echelon = opt(String())


class SkillData(Schema):
    """A level from an instant on; the last one with `since` at or before a time was in force then."""

    competency = Code(required=True)
    level = Level(required=True)
    since = Instant(required=True)
    source = OneOf("import", "hr", "mastery", required=True)
    endorsement_id = opt(UuidStr())


class EmployeeData(Schema):
    """An employee, without anything that says who it is."""

    id = UuidStr(required=True)
    active = Boolean(required=True)
    history = fields.List(fields.Nested(PlacementData()), required=True)
    skills = fields.List(fields.Nested(SkillData()), required=True)


class PersonData(Schema):
    """The name and address of an employee."""

    id = UuidStr(required=True)
    name = String(required=True)
    email = opt(Email())


class CompetencyData(Schema):
    """Something that can be learned."""

    code = Code(required=True)
    name = String(required=True)
    name_en = opt(String())
    aspect = OneOf("attitude", "technique", required=True)


class DemandData(Schema):
    """How many people a unit needs at which level, from an instant on; 0 people end the need."""

    since = Instant(required=True, data_key="from")
    people = Integer(required=True)
    level = Level(required=True)


class NeedData(Schema):
    """What a unit needs of a competency."""

    unit = Code(required=True)
    competency = Code(required=True)
    history = fields.List(fields.Nested(DemandData()), required=True)


class BatchStepData(Schema):
    """A state of a batch, in effect from `at` on."""

    state = OneOf(*BATCH_STATES, required=True)
    at = Instant(required=True)


class BatchData(Schema):
    """A training of representatives. jp: lesson hours that a certificate brings."""

    id = UuidStr(required=True)
    name = String(required=True)
    state = OneOf(*BATCH_STATES, required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    venue = String(required=True)
    seats = Integer(required=True)
    seats_per_unit = Integer(required=True)
    jp = opt(Integer())
    partners = fields.List(String(), required=True)
    history = fields.List(fields.Nested(BatchStepData()), required=True)


class ParticipantStepData(Schema):
    """A state of a participant. at: when it took effect."""

    state = OneOf(*STATES, required=True)
    at = Instant(required=True)
    recorded_at = Instant(required=True)


class ParticipantData(Schema):
    """An employee in a batch. unit: where the seat is counted. promoted: accepted off the waiting list."""

    id = UuidStr(required=True)
    batch_id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    unit = Code(required=True)
    own_unit = Code(required=True)
    state = OneOf(*STATES, required=True)
    promoted = Boolean(required=True)
    certified_at = opt(Instant())
    history = fields.List(fields.Nested(ParticipantStepData()), required=True)


class ApprovalData(Schema):
    """HR's approval that somebody may guide in a competency, from `at` on."""

    id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    competency = Code(required=True)
    at = Instant(required=True)


class PairingStepData(Schema):
    """A state of a pairing, in effect from `at` on."""

    state = OneOf(*PAIRING_STATES, required=True)
    at = Instant(required=True)


class PairingData(Schema):
    """One guide and one learner. ended_at: also of a completed one. escalated: 7 days passed in silence."""

    id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    competency = Code(required=True)
    target_level = Level(required=True)
    due_on = Day(required=True)
    state = OneOf(*PAIRING_STATES, required=True)
    guide_accepted = Boolean(required=True)
    learner_accepted = Boolean(required=True)
    escalated = Boolean(required=True)
    active_at = opt(Instant())
    ended_at = opt(Instant())
    history = fields.List(fields.Nested(PairingStepData()), required=True)
