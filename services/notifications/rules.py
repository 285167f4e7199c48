"""Which event tells what to whom. Pure: the same event gives the same entries, with the same ids, for ever.

To add a notification: a line in `RULES`, its kind in `domain.KINDS`, a template in each language.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from infra.clock import to_wire
from infra.messaging.envelope import Event, derived_id
from services.notifications.domain import Delivery, Details, Entry, Kind
from services.notifications.readers import EndorsementSeen, PairingSeen, ParticipantSeen, SessionSeen, Subject

FIRST_DAY = datetime(2016, 1, 1, tzinfo=UTC)
"""The first rules hold from the beginning of the programme."""


class Told(NamedTuple):
    """Who is told, and what the text needs to know. employee_id: None where nobody is known, as for HR."""

    employee_id: str | None
    details: Details


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An event's type and the people to tell.

    name: stands in each delivery and never changes, for ids are derived from it. active_from: events recorded
    earlier are passed over, so that a new rule doesn't stir up old stories. when: a further condition on the data.
    """

    name: str
    kind: Kind
    on: str
    told: Callable[[Any], Iterable[Told]]
    when: Callable[[Any], bool] = lambda _: True
    active_from: datetime = FIRST_DAY


def _participant(seen: ParticipantSeen) -> Iterable[Told]:
    yield Told(seen.employee_id, Details(batch_id=seen.batch_id))


def _both(seen: PairingSeen) -> Iterable[Told]:
    shared = Details(competency=seen.competency, guidance=seen.kind, level=seen.target_level, due_on=seen.due_on)
    for reader, other, role in (
        (seen.guide_id, seen.learner_id, "guide"),
        (seen.learner_id, seen.guide_id, "learner"),
    ):
        yield Told(reader, msgspec.structs.replace(shared, other_id=other, role=role))


def _learner_confirms(seen: SessionSeen) -> Iterable[Told]:
    yield Told(
        seen.learner_id,
        Details(
            other_id=seen.guide_id,
            competency=seen.competency,
            guidance=seen.kind,
            at=seen.started_at,
            minutes=seen.minutes,
        ),
    )


def _assessed(seen: EndorsementSeen, **more: Any) -> Details:
    return Details(competency=seen.competency, level=seen.level, at=seen.at, **more)


def _endorser(seen: EndorsementSeen) -> Iterable[Told]:
    yield Told(seen.endorser_id, _assessed(seen, other_id=seen.learner_id))


def _learner_masters(seen: EndorsementSeen) -> Iterable[Told]:
    yield Told(seen.learner_id, _assessed(seen, role="learner"))


RULES: tuple[Rule, ...] = (
    Rule(
        name="accepted",
        kind="accepted",
        on="participant.accepted",
        told=_participant,
        when=lambda seen: not seen.promoted,
    ),
    Rule(
        name="moved-up",
        kind="moved_up",
        on="participant.accepted",
        told=_participant,
        when=lambda seen: seen.promoted,
    ),
    Rule(name="certified", kind="certified", on="participant.certified", told=_participant),
    Rule(name="pairing-active", kind="pairing_active", on="pairing.activated", told=_both),
    Rule(name="please-confirm", kind="please_confirm", on="session.held", told=_learner_confirms),
    Rule(name="please-endorse", kind="please_endorse", on="endorsement.opened", told=_endorser),
    Rule(name="mastered", kind="mastered", on="endorsement.endorsed", told=_learner_masters),
)

GUIDE_MASTERED = "mastered-guide"
"""The guide hears of it, too. The endorsement doesn't name the guide, its session does; either may come first."""

_BY_TYPE: dict[str, list[Rule]] = {}
for _rule in RULES:
    _BY_TYPE.setdefault(_rule.on, []).append(_rule)


class Decided(NamedTuple):
    """entries: for those who are known. unaddressed: rules that applied, but knew nobody to tell."""

    entries: list[Entry]
    unaddressed: list[str]


def decide(event: Event, seen: Subject) -> Decided:
    """The entries that this event leads to."""
    decided = Decided([], [])
    for rule in _BY_TYPE.get(event.type, ()):
        if event.time < rule.active_from or not rule.when(seen):
            continue
        for told in rule.told(seen):
            if told.employee_id is None:
                decided.unaddressed.append(rule.name)
            else:
                decided.entries.append(_entry(rule, event, seen, told.employee_id, told.details))
    return decided


def _entry(rule: Rule, event: Event, seen: Subject, employee_id: str, details: Details) -> Entry:
    occasion = occasion_of(seen, event.seq)
    return Entry(
        id=derived_id("entry", rule.name, seen.id, occasion, employee_id),
        employee_id=employee_id,
        kind=rule.kind,
        rule=rule.name,
        about_type=event.aggregate,
        about_id=seen.id,
        occasion=occasion,
        at=event.time,
        event_id=event.id,
        details=details,
    )


def occasion_of(seen: Subject, seq: int) -> str:
    """Tells one happening of a subject from the next: for a session when it was held, else the event's number."""
    if isinstance(seen, SessionSeen) and seen.held_at is not None:
        return to_wire(seen.held_at)
    return str(seq)


def guide_mastered(endorsed: Mapping[str, Any], guide_id: str) -> Entry:
    """The guide's entry about a mastery, from the copies of endorsement and session."""
    details = Details(
        competency=endorsed["competency"],
        level=endorsed["level"],
        at=endorsed["at"],
        other_id=endorsed["learner_id"],
        role="guide",
    )
    return Entry(
        id=derived_id("entry", GUIDE_MASTERED, endorsed["_id"], guide_id),
        employee_id=guide_id,
        kind="mastered",
        rule=GUIDE_MASTERED,
        about_type="endorsement",
        about_id=endorsed["_id"],
        occasion="endorsed",
        at=endorsed["time"],
        event_id=endorsed["event_id"],
        details=details,
    )


def mail_of(entry: Entry, problem: str | None) -> Delivery:
    """The mail about an entry. With a problem it is withdrawn at once, and kept: a replay must not send it."""
    return Delivery(
        id=derived_id("delivery", entry.id, "mail"),
        entry_id=entry.id,
        employee_id=entry.employee_id,
        kind=entry.kind,
        channel="mail",
        rule=entry.rule,
        event_id=entry.event_id,
        about_id=entry.about_id,
        at=entry.at,
        state="withdrawn" if problem else "waiting",
        problem=problem,
    )


def holds(kind: Kind, occasion: str, subject: Mapping[str, Any] | None) -> bool:
    """Whether it is still so: the session waits for its learner, the question for its reader; no pairing ended."""
    if subject is None:
        return True
    state = subject["state"]
    match kind:
        case "please_confirm":
            return bool(state == "held" and subject["occasion"] == occasion)
        case "please_endorse":
            # The number of the newest event: a question that was put to another one is another occasion.
            return bool(state == "open" and subject["occasion"] == occasion)
        case "accepted" | "moved_up":
            return state not in ("withdrawn", "declined")
        case "pairing_active":
            return bool(state != "ended")
        case _:
            return True
