"""Competencies, needs and gaps."""

from infra.web.fields import Body, Code, Effective, Free, Integer, Level, OneOf, String, opt

from .common import UnitArgs, Versioned


class CompetencyIn(Effective):
    """What a competency is."""

    name = String(required=True)
    name_en = opt(String())
    aspect = OneOf("attitude", "technique", required=True)
    description = opt(Free(max=2000))


class CompetencyOut(Versioned):
    """A competency."""

    code = Code(required=True)
    name = String(required=True)
    name_en = opt(String())
    aspect = OneOf("attitude", "technique", required=True)
    description = opt(Free())


class NeedIn(Effective):
    """How many people a unit needs at which level; 0 people end the need."""

    people = Integer(required=True, least=0, most=100_000)
    level = Level(required=True, least=1)


class NeedOut(Versioned):
    """What a unit needs of a competency now."""

    unit = Code(required=True)
    competency = Code(required=True)
    people = Integer(required=True)
    level = Level(required=True)


class GapOut(Body):
    """What a unit misses: people at a level of a competency."""

    unit = Code(required=True)
    competency = Code(required=True)
    level = Level(required=True)
    needed = Integer(required=True)
    have = Integer(required=True)
    missing = Integer(required=True)


competency_in = CompetencyIn()
competency_out = CompetencyOut()
need_in = NeedIn()
need_out = NeedOut()
gap_args = UnitArgs()
