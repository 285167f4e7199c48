"""The guides' phones: sessions in bulk from offline queues or one by one, some twice, some out of order."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.ledger import SessionFact
from demo.play.callers import Caller, PlayError, spread
from demo.play.cast import Cast, wire
from demo.story.meetings import Meeting
from demo.story.phones import Queue

_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.5


@dataclass
class Sent:
    """What one phone got rid of. again: items sent once more, since their pairing was not known yet."""

    facts: list[SessionFact] = field(default_factory=list)
    again: int = 0
    unchanged: int = 0


def post_sessions(cast: Cast, stretch: int, title: str) -> None:
    """Every guide's queue of one stretch of weeks."""
    queues = [queue for queue in cast.story.queues if queue.stretch == stretch]
    with cast.stage.step(title) as step:
        step.total(len(queues))
        results = spread(lambda queue: _empty(cast, queue), queues, step.advance)
        for sent in results:
            cast.ledger.sessions.update((fact.id, fact) for fact in sent.facts)
            cast.ledger.sent_again += sent.again
            cast.ledger.repeats_unchanged += sent.unchanged
        meetings = sum(len(queue.meetings) for queue in queues)
        bulk = sum(queue.way == "sync" for queue in queues)
        twice = sum(sent.unchanged for sent in results)
        step.say(
            f"{meetings:,} sessions, {bulk} queues in bulk, {len(queues) - bulk} phones one by one; "
            f"{twice} arrived twice and changed nothing"
        )


def session_body(cast: Cast, meeting: Meeting, status: str) -> dict[str, Any]:
    """The session as the guide's phone writes it."""
    optional = {
        "summary": meeting.summary if status == "held" else None,
        "private_note": meeting.note if status == "held" else None,
        "assessed_level": meeting.level if status == "held" else None,
        "actions": [{"text": meeting.action, "done": False}] if meeting.action else None,
    }
    return {
        "pairing_id": cast.pairing(meeting.pair.key),
        "status": status,
        "started_at": wire(meeting.started_at),
        "minutes": meeting.minutes,
        "place": meeting.place,
        **{name: value for name, value in optional.items() if value is not None},
    }


def fact_of(cast: Cast, meeting: Meeting, status: str) -> SessionFact:
    """The session for the ledger."""
    pair = meeting.pair
    return SessionFact(
        id=meeting.id,
        pairing=cast.pairing(pair.key),
        learner=cast.id(pair.learner),
        kind=pair.kind,
        started_at=meeting.started_at,
        minutes=meeting.minutes,
        status=status,
    )


def _empty(cast: Cast, queue: Queue) -> Sent:
    phone = cast.employee(queue.guide)
    if queue.way == "put":
        return _one_by_one(cast, phone, queue.meetings)
    sent = Sent()
    _in_bulk(phone, _items(cast, queue.meetings), sent)
    for meeting in queue.meetings:
        sent.facts.append(fact_of(cast, meeting, "planned" if meeting.reply == "cancelled" else "held"))
    if queue.twice:
        _repeat(phone, _last_items(cast, queue.meetings), sent)
    return sent


def _items(cast: Cast, meetings: Sequence[Meeting]) -> list[dict[str, Any]]:
    """What the phone noted down, in its order: planned sessions first appear as planned."""
    items = []
    for meeting in meetings:
        if meeting.planned:
            items.append({"id": meeting.id, **session_body(cast, meeting, "planned")})
        if meeting.reply != "cancelled":
            base = {"base_version": 1} if meeting.planned else {}
            items.append({"id": meeting.id, **base, **session_body(cast, meeting, "held")})
    return items


def _last_items(cast: Cast, meetings: Sequence[Meeting]) -> list[dict[str, Any]]:
    """Only the last word on each session: what a phone still has when it sends a second time."""
    return list({item["id"]: item for item in _items(cast, meetings)}.values())


def _in_bulk(phone: Caller, items: list[dict[str, Any]], sent: Sent) -> None:
    """Sends until everything is stored; what comes too early for its pairing is sent again."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while items:
        results = phone.post("sessions", "/sync", {"sessions": items, "transitions": []})["results"]
        early: list[dict[str, Any]] = []
        for item, result in zip(items, results, strict=True):
            problem = result.get("problem") or {}
            # A planned session that came too early takes its held one with it.
            if problem.get("retry") or any(item["id"] == before["id"] for before in early):
                early.append(item)
            elif result["status"] == "refused":
                raise PlayError(f"a session that should be stored was refused: {item} {result}")
        if early and time.monotonic() > give_up:
            raise PlayError(f"{len(early)} sessions still wait for their pairing")
        sent.again += len(early)
        items = early
        if early:
            time.sleep(_PAUSE_SECONDS)


def _repeat(phone: Caller, items: list[dict[str, Any]], sent: Sent) -> None:
    results = phone.post("sessions", "/sync", {"sessions": items, "transitions": []})["results"]
    if any(result["status"] != "unchanged" for result in results):
        raise PlayError(f"a repeat was not `unchanged`: {results}")
    sent.unchanged += len(results)


def _one_by_one(cast: Cast, phone: Caller, meetings: Sequence[Meeting]) -> Sent:
    sent = Sent()
    for meeting in meetings:
        if meeting.planned:
            _put(phone, meeting, session_body(cast, meeting, "planned"), None, sent)
        if meeting.reply != "cancelled":
            base = 1 if meeting.planned else None
            _put(phone, meeting, session_body(cast, meeting, "held"), base, sent)
        sent.facts.append(fact_of(cast, meeting, "planned" if meeting.reply == "cancelled" else "held"))
    return sent


def _put(phone: Caller, meeting: Meeting, body: dict[str, Any], version: int | None, sent: Sent) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = phone.ask("sessions", "PUT", f"/sessions/{meeting.id}", version=version, json=body)
        if answer.status in (200, 201):
            return
        if not answer.body.get("retry") or time.monotonic() > give_up:
            raise PlayError(f"a session that should be stored was refused: {body} {answer}")
        sent.again += 1
        time.sleep(_PAUSE_SECONDS)
