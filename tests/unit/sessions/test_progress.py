from datetime import datetime, timedelta
from uuid import UUID

from msgspec import structs

from services.sessions.domain.copies import SkillRecord
from services.sessions.domain.progress import duty, levels
from services.sessions.domain.session import Session, step
from tests.unit.sessions.makers import GUIDE, LEARNER, NOW, OTHER, START, THE_LEARNER, employee, session


def confirmed(number: int, started_at: datetime, level: int | None = None) -> Session:
    one = session(str(UUID(int=number)), started_at=started_at, assessed_level=level)
    return step(one, "confirmed", THE_LEARNER, NOW, None, None)


def test_levels_are_the_endorsed_ones_beside_what_sessions_assessed() -> None:
    skills = (
        SkillRecord(competency="arsip", level=2, since=START - timedelta(days=9)),
        SkillRecord(competency="arsip", level=3, since=START + timedelta(days=9)),
    )
    person = structs.replace(employee(LEARNER, None), skills=skills)
    sessions = [confirmed(1, START, 3), confirmed(2, START - timedelta(days=1), 2), confirmed(3, START)]
    found = levels(person, sessions, NOW)
    assert [(one.competency, one.level, [seen.level for seen in one.assessed]) for one in found] == [
        ("arsip", 2, []),
        ("menyusun-surat-dinas", 0, [2, 3]),
    ]


def test_duty_is_met_by_the_supervisor_or_by_another_guide_and_own_goes_first() -> None:
    own = confirmed(1, START - timedelta(days=50))
    other = structs.replace(confirmed(2, START), guide_id=OTHER)
    assert duty(GUIDE, [other, own], NOW).by == "own"
    assert duty(GUIDE, [other, own], NOW).last_at == own.started_at
    assert duty(GUIDE, [other], NOW).by == "delegated"


def test_duty_looks_back_ninety_days() -> None:
    at_the_edge = confirmed(1, NOW - timedelta(days=90))
    assert duty(GUIDE, [at_the_edge], NOW).met
    assert not duty(GUIDE, [confirmed(1, NOW - timedelta(days=90, milliseconds=1))], NOW).met
