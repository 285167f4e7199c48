"""What reporting does when the others tell something: reads it in its own words and hands it to the projection."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from infra.clock import day_of, to_wire
from infra.messaging.envelope import Event, Unreadable
from infra.messaging.subscription import PASSED, reason_of
from services.reporting import events as seen
from services.reporting.domain.contributions import CreditFact, Fact, SessionFact
from services.reporting.domain.gaps import Need, NeedState
from services.reporting.domain.ledger import PersonSeen
from services.reporting.domain.people import Skill, Stint
from services.reporting.domain.training import Batch, Participant, Step
from services.reporting.domain.tree import Unit, UnitState, last_of_day

T = TypeVar("T")
VERSION = 1


class News(msgspec.Struct):
    """What a batch of events tells, of each aggregate the newest only. Facts and people have no place yet."""

    units: dict[str, tuple[int, Unit]] = {}
    needs: dict[str, tuple[int, Need]] = {}
    batches: dict[str, tuple[int, Batch]] = {}
    participants: dict[str, tuple[int, Participant]] = {}
    people: dict[str, tuple[int, PersonSeen]] = {}
    sessions: dict[str, tuple[int, SessionFact]] = {}
    credits: dict[str, tuple[int, CreditFact]] = {}

    @property
    def facts(self) -> list[Fact]:
        """Sessions and credits together."""
        return [*(fact for _, fact in self.sessions.values()), *(fact for _, fact in self.credits.values())]


def news_of(events: Iterable[Event]) -> News:
    """Reads the events. Raises Unreadable for one that doesn't fit; unknown types are counted and passed over."""
    news = News()
    for event in events:
        reader = READERS.get(event.aggregate)
        if reader is None or event.version != VERSION or event.body is None:
            PASSED.labels(event.type).inc()
            continue
        name, decoder, convert = reader
        try:
            told = convert(event, decoder.decode(event.body))
        except msgspec.DecodeError as error:
            raise Unreadable(reason_of(error)) from None
        known: dict[str, tuple[int, Any]] = getattr(news, name)
        if event.subject not in known or known[event.subject][0] < event.seq:
            known[event.subject] = (event.seq, told)
    return news


def _unit(_: Event, told: seen.UnitSeen) -> Unit:
    states = [
        UnitState(_day(each.since), each.name, each.kind, each.parent, each.state == "active")
        for each in sorted(told.history, key=_from)
    ]
    return Unit(told.code, last_of_day(states))


def _need(event: Event, told: seen.NeedSeen) -> Need:
    history = tuple(
        NeedState(_day(each.since), each.since, each.people, each.level)
        for each in sorted(told.history, key=_from)
    )
    return Need(event.subject, told.unit, told.competency, history)


def _batch(event: Event, told: seen.BatchSeen) -> Batch:
    return Batch(event.subject, told.starts_on)


def _participant(event: Event, told: seen.ParticipantSeen) -> Participant:
    certified = told.certified_at if told.state == "certified" else None
    return Participant(
        id=event.subject,
        batch_id=told.batch_id,
        person=told.employee_id,
        unit=told.own_unit,
        state=told.state,
        history=tuple(Step(each.state, each.at) for each in told.history),
        certified_day=_day(certified) if certified else None,
        certified_at=certified,
    )


def _person(event: Event, told: seen.EmployeeSeen) -> PersonSeen:
    return PersonSeen(
        id=event.subject,
        seq=event.seq,
        history=tuple(Stint(_day(each.since), each.unit, each.active) for each in sorted(told.history, key=_from)),
        skills=tuple(
            Skill(
                _day(each.since),
                each.competency,
                each.level,
                each.source,
                to_wire(each.since),
                each.endorsement_id,
            )
            for each in sorted(told.skills, key=_from)
        ),
    )


def _session(event: Event, told: seen.SessionSeen) -> SessionFact:
    return SessionFact(
        id=event.subject,
        seq=event.seq,
        person=told.learner_id,
        kind=told.kind,
        status=told.status,
        minutes=told.minutes,
        at=told.started_at,
        day=_day(told.started_at),
    )


def _credit(event: Event, told: seen.CreditSeen) -> CreditFact:
    return CreditFact(id=event.subject, seq=event.seq, person=told.learner_id, jp=told.jp or 0, day=told.on)


def _from(dated: seen.UnitStateSeen | seen.NeedStateSeen | seen.StintSeen | seen.SkillSeen) -> datetime:
    """By this, histories are put in order; what began at the same instant stays as it was recorded."""
    return dated.since


def _day(instant: datetime) -> str:
    return day_of(instant).isoformat()


def _reader(
    name: str, type_: type[T], convert: Callable[[Event, T], Any]
) -> tuple[str, msgspec.json.Decoder[T], Callable[[Event, Any], Any]]:
    return name, msgspec.json.Decoder(type_), convert


READERS: dict[str, tuple[str, msgspec.json.Decoder[Any], Callable[[Event, Any], Any]]] = {
    "unit": _reader("units", seen.UnitSeen, _unit),
    "employee": _reader("people", seen.EmployeeSeen, _person),
    "need": _reader("needs", seen.NeedSeen, _need),
    "batch": _reader("batches", seen.BatchSeen, _batch),
    "participant": _reader("participants", seen.ParticipantSeen, _participant),
    "session": _reader("sessions", seen.SessionSeen, _session),
    "credit": _reader("credits", seen.CreditSeen, _credit),
}
"""By aggregate: where in the news it goes, how it is decoded, and how it is put into our words."""
