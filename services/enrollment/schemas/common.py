"""What several resources share."""

from marshmallow import fields

from infra.web.fields import Body, Code, Effective, Free, Instant, Integer, OneOf, String, opt
from infra.web.paging import PageArgs


class Versioned(Body):
    """What every resource has."""

    version = Integer(required=True, metadata={"description": "Counts its changes from 1."})
    effective_at = Instant(required=True, metadata={"description": "When the last change took effect."})
    updated_at = Instant(required=True, metadata={"description": "When the last change was recorded."})


class ActivityOut(Body):
    """One thing that was done to a resource."""

    who = String(required=True, metadata={"description": "Employee id or name of a system."})
    what = String(required=True)
    when = Instant(required=True)
    effective_at = Instant(required=True)
    version = Integer(required=True)
    note = opt(Free(metadata={"description": "The reason given; for HR and auditors only."}))


class NoArgs(PageArgs):
    """A list without filters."""


class UnitArgs(PageArgs):
    """A list for a unit with all below it."""

    unit = opt(Code())


def transition(name: str, *targets: str) -> Effective:
    """Schema of a transition's body."""
    members = {"to": OneOf(*targets, required=True), "reason": opt(Free(max=1000))}
    made: type[Effective] = type(f"{name}Transition", (Effective,), members)
    return made()


class ProblemOut(Body):
    """Why one item of a list was rejected."""

    type = String(required=True)
    title = String(required=True)
    status = Integer(required=True)
    detail = String(required=True)
    rule = opt(String())
    errors = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
