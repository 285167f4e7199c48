"""Employees and guide approvals."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from infra.problems import Text
from infra.web.fields import (
    NO_STRING,
    Body,
    Boolean,
    Code,
    Effective,
    Instant,
    Integer,
    Level,
    OneOf,
    QueryBoolean,
    String,
    UuidStr,
    opt,
    wrong,
)

from .common import ProblemOut, UnitArgs, Versioned

NUMBER = Text(
    "NIP harus teks: sebagai angka JSON digit terakhirnya hilang.",
    "The NIP must be text: as a JSON number its last digits are lost.",
)


class Plain(fields.String):
    """Text of any content: the rules look at it, so that one wrong field rejects one employee, not the list."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise wrong(NUMBER if attr in ("nip", "supervisor_nip") and _is_number(value) else NO_STRING)
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


LONGEST = validate.Length(max=1000)


class EmployeeIn(Effective):
    """What is to be recorded of an employee; the key is the NIP."""

    nip = Plain(required=True, validate=LONGEST, metadata={"description": "18 digits, as text."})
    name = Plain(required=True, validate=LONGEST)
    status = Plain(required=True, validate=LONGEST, metadata={"enum": ["pns", "cpns", "pppk"]})
    unit = Plain(required=True, validate=LONGEST, metadata={"description": "Code of the unit."})
    position = opt(Plain(validate=LONGEST))
    position_kind = opt(Plain(validate=LONGEST))
    echelon = opt(Plain(validate=LONGEST, metadata={"description": "I.a to V.a"}))
    supervisor_nip = opt(Plain(validate=LONGEST))
    email = opt(Plain(validate=LONGEST))
    phone = opt(Plain(validate=LONGEST))
    active = opt(Boolean(metadata={"description": "true unless it is false."}))


class SkillOut(Body):
    """A level in force."""

    competency = Code(required=True)
    level = Level(required=True)
    since = Instant(required=True)
    source = OneOf("import", "hr", "mastery", required=True)


class GroundOut(Body):
    """Why somebody may guide."""

    ground = OneOf("representative", "supervisor", "approved", required=True)
    competency = opt(Code())


class EmployeeOut(Versioned):
    """An employee as they are now. nip, email and phone only for HR and oneself."""

    id = UuidStr(required=True)
    name = String(required=True)
    status = OneOf("pns", "cpns", "pppk", required=True)
    unit = Code(required=True)
    position = opt(String())
    position_kind = opt(OneOf("structural", "functional", "operational"))
    echelon = opt(String())
    supervisor_id = opt(UuidStr())
    active = Boolean(required=True)
    skills = fields.List(fields.Nested(SkillOut()), required=True)
    may_guide = fields.List(fields.Nested(GroundOut()), required=True)
    nip = opt(String())
    email = opt(String())
    phone = opt(String())


class ResultOut(Body):
    """What became of one of the employees."""

    index = Integer(required=True)
    id = opt(UuidStr())
    outcome = OneOf("created", "updated", "unchanged", "rejected", required=True)
    version = opt(Integer())
    problem = fields.Nested(ProblemOut(), load_default=None, dump_default=None, allow_none=True)


class ResultsOut(Body):
    """What became of each."""

    items = fields.List(fields.Nested(ResultOut()), required=True)


class EmployeeArgs(UnitArgs):
    """Filters of the list. q: beginnings of names."""

    q = opt(String(max=100))
    may_guide = opt(QueryBoolean())


class SearchIn(Body):
    """A NIP to look for, in the body since it must not stand in an address."""

    nip = Plain(required=True, validate=LONGEST)


class ApprovalIn(Effective):
    """The competency in which somebody may guide."""

    competency = Code(required=True)


class ApprovalOut(Versioned):
    """HR's approval that somebody may guide in a competency."""

    id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    competency = Code(required=True)


employee_in = EmployeeIn()
employee_out = EmployeeOut()
employee_args = EmployeeArgs()
results_out = ResultsOut()
search_in = SearchIn()
approval_in = ApprovalIn()
approval_out = ApprovalOut()
