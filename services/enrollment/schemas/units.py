"""Units."""

from infra.web.fields import Code, Effective, OneOf, String, opt

from .common import Versioned, transition

KINDS = ("city", "agency", "district", "village", "division", "section")


class UnitIn(Effective):
    """What a unit is like."""

    name = String(required=True)
    kind = OneOf(*KINDS, required=True)
    parent = opt(Code(metadata={"description": "Null for the root."}))


class UnitOut(Versioned):
    """A unit as it is now."""

    code = Code(required=True)
    name = String(required=True)
    kind = OneOf(*KINDS, required=True)
    parent = opt(Code())
    state = OneOf("active", "closed", required=True)


unit_in = UnitIn()
unit_out = UnitOut()
unit_transition = transition("Unit", "closed")
