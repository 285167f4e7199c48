"""Batches, participants and certificates."""

from typing import Any

from marshmallow import fields, validate, validates_schema

from infra.problems import Text
from infra.web.fields import (
    Body,
    Boolean,
    Code,
    Day,
    Effective,
    Free,
    Integer,
    OneOf,
    String,
    UuidStr,
    opt,
    wrong_field,
)
from infra.web.paging import PageArgs

from ..domain.employees import ECHELONS
from ..domain.fields import ROMAN
from ..domain.participants import STATES
from .common import Versioned, transition

GROUPS = (*ECHELONS, *sorted(ROMAN))
BATCH_STATES = ("draft", "open", "closed", "running", "finished", "cancelled")
POSITION_KINDS = ("structural", "functional", "operational")


class BatchIn(Effective):
    """A training of representatives. Eligible are the echelons (`IV.b`, `IV` for both of it) or position kinds."""

    name = String(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    venue = String(required=True)
    seats = Integer(required=True, least=1, most=100_000)
    seats_per_unit = Integer(required=True, least=1, most=100_000)
    echelons = fields.List(OneOf(*GROUPS), load_default=list, allow_none=True, validate=validate.Length(max=20))
    position_kinds = fields.List(
        OneOf(*POSITION_KINDS), load_default=list, allow_none=True, validate=validate.Length(max=3)
    )
    partners = fields.List(String(), required=True, validate=validate.Length(max=50))
    jp = opt(Integer(least=0, most=10_000))

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["ends_on"] < data["starts_on"]:
            raise wrong_field("ends_on", Text("Sebelum tanggal mulai.", "It is before the first day."))


class CountsOut(Body):
    """People now in each state."""

    nominated = Integer(required=True)
    accepted = Integer(required=True)
    waitlisted = Integer(required=True)
    declined = Integer(required=True)
    attended = Integer(required=True)
    absent = Integer(required=True)
    certified = Integer(required=True)
    not_certified = Integer(required=True)
    withdrawn = Integer(required=True)


class BatchOut(Versioned):
    """A batch as it is now."""

    id = UuidStr(required=True)
    name = String(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    venue = String(required=True)
    seats = Integer(required=True)
    seats_per_unit = Integer(required=True)
    echelons = fields.List(String(), required=True)
    position_kinds = fields.List(String(), required=True)
    partners = fields.List(String(), required=True)
    jp = opt(Integer())
    state = OneOf(*BATCH_STATES, required=True)
    counts = fields.Nested(CountsOut(), required=True)


class BatchArgs(PageArgs):
    """Filters of the list."""

    state = opt(OneOf(*BATCH_STATES))


class ParticipantIn(Effective):
    """Whom somebody nominates, and why: who has potential, not who came first."""

    employee_id = UuidStr(required=True)
    reason = opt(Free(max=1000))


class CertificateOut(Body):
    """What proves a certificate; only for HR and its holder."""

    number = String(required=True)
    code = String(required=True)


class ParticipantOut(Versioned):
    """An employee in a batch. unit: where the seat is counted. place: on the waiting list, from 1."""

    id = UuidStr(required=True)
    batch_id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    unit = Code(required=True)
    state = OneOf(*STATES, required=True)
    place = opt(Integer())
    reason = opt(Free())
    certificate = fields.Nested(CertificateOut(), allow_none=True, dump_default=None)


class ParticipantArgs(PageArgs):
    """Filters of the list."""

    state = opt(OneOf(*STATES))


class VerifyArgs(Body):
    """The code on the certificate."""

    code = String(required=True, max=100)


class VerifiedOut(Body):
    """All that a verified certificate tells."""

    number = String(required=True)
    name = String(required=True)
    batch = String(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    valid = Boolean(required=True)


batch_in = BatchIn()
batch_out = BatchOut()
batch_args = BatchArgs()
batch_transition = transition("Batch", "open", "closed", "running", "finished", "cancelled")
participant_in = ParticipantIn()
participant_out = ParticipantOut()
participant_args = ParticipantArgs()
participant_transition = transition(
    "Participant", "accepted", "declined", "attended", "absent", "certified", "not_certified", "withdrawn"
)
verify_args = VerifyArgs()
verified_out = VerifiedOut()
