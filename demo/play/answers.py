"""What follows a session: learners confirm or dispute, guides correct, supervisors endorse."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from demo.ledger import MasteryFact
from demo.play.callers import PlayError, spread
from demo.play.cast import Cast
from demo.play.phones import session_body
from demo.story.meetings import Meeting

_DECLINED = "Mohon satu surat lagi dikerjakan tanpa bantuan sebelum saya menyetujuinya."
SHORTER = 10
_DISPUTED = "Seingat saya pertemuan ini hanya berlangsung sebentar, tidak selama yang tercatat."


def confirm(cast: Cast, stretch: int, title: str) -> None:
    """Learners confirm this stretch's sessions, and those of the stretch before for which they were late."""
    due = [
        m
        for m in cast.story.meetings
        if (m.reply == "prompt" and m.stretch == stretch) or (m.reply == "late" and m.stretch == stretch - 1)
    ]
    with cast.stage.step(title) as step:
        _confirm_all(cast, due, step.total, step.advance)
        late = sum(m.reply == "late" for m in due)
        step.say(f"{len(due):,} confirmed, {late} of them late")


def confirm_last(cast: Cast, stretch: int) -> None:
    """The late ones of the last stretch, at last."""
    due = [m for m in cast.story.meetings if m.reply == "late" and m.stretch == stretch]
    with cast.stage.step("Late confirmations") as step:
        _confirm_all(cast, due, step.total, step.advance)
        never = sum(m.reply == "never" for m in cast.story.meetings)
        step.say(f"{len(due)} more; {never} sessions stay without an answer")


def _confirm_all(cast: Cast, due: Sequence[Meeting], total: Any, advance: Any) -> None:
    queues = [list(group) for _, group in groupby(sorted(due, key=_learner), _learner)]
    total(len(queues))
    spread(lambda queue: _confirm(cast, queue), queues, advance)
    for meeting in due:
        cast.ledger.sessions[meeting.id].status = "confirmed"


def _learner(meeting: Meeting) -> str:
    return meeting.pair.learner


def _confirm(cast: Cast, queue: Sequence[Meeting]) -> None:
    phone = cast.employee(queue[0].pair.learner)
    if len(queue) == 1:
        phone.post("sessions", f"/sessions/{queue[0].id}/transitions", _confirmation(queue[0]))
        return
    items = [{"id": meeting.id, **_confirmation(meeting)} for meeting in queue]
    results = phone.post("sessions", "/sync", {"sessions": [], "transitions": items})["results"]
    refused = [result for result in results if result["status"] != "stored"]
    if refused:
        raise PlayError(f"a confirmation was not stored: {refused}")


def _confirmation(meeting: Meeting) -> dict[str, Any]:
    if meeting.rating is None:
        return {"to": "confirmed"}
    comment = {"comment": meeting.comment} if meeting.comment else {}
    return {"to": "confirmed", "feedback": {"rating": meeting.rating, **comment}}


def call_off(cast: Cast) -> None:
    """Guides cancel the planned sessions that never took place."""
    for meeting in cast.story.meetings:
        if meeting.reply == "cancelled":
            phone = cast.employee(meeting.pair.guide)
            phone.post("sessions", f"/sessions/{meeting.id}/transitions", {"to": "cancelled"})
            cast.ledger.sessions[meeting.id].status = "cancelled"


def settle_dispute(cast: Cast) -> None:
    """A learner disputes how long a session was; the guide corrects it; the learner confirms."""
    meeting = next(m for m in cast.story.meetings if m.reply == "dispute")
    learner, guide = cast.employee(meeting.pair.learner), cast.employee(meeting.pair.guide)
    path = f"/sessions/{meeting.id}"
    with cast.stage.step("A learner disputes a session") as step:
        disputed = learner.post("sessions", f"{path}/transitions", {"to": "disputed", "reason": _DISPUTED})
        corrected = replace(meeting, minutes=meeting.minutes - SHORTER)
        body = session_body(cast, corrected, "held")
        answer = guide.ask("sessions", "PUT", path, version=disputed["version"], json=body)
        if answer.status != 200 or answer.body["status"] != "held":
            raise PlayError(f"the correction was not taken: {answer}")
        learner.post("sessions", f"{path}/transitions", {"to": "confirmed"})
        fact = cast.ledger.sessions[meeting.id]
        fact.minutes, fact.status = corrected.minutes, "confirmed"
        step.say(f"the guide corrects {meeting.minutes} to {corrected.minutes} minutes, the learner confirms")


def endorse(cast: Cast, stretch: int) -> None:
    """Supervisors answer what this stretch asked of them; some take their time."""
    asking = [m for m in cast.story.meetings if m.asks and m.stretch == stretch]
    decided = [m for m in asking if m.pair.ending != "waiting"]
    with cast.stage.step("Supervisors endorse mastery") as step:
        step.total(len(decided))
        for found in spread(lambda meeting: _decide(cast, meeting), decided, step.advance):
            cast.ledger.masteries += found
        declined = sum(_declines(m) for m in decided)
        cast.ledger.declined += declined
        open_ = len(asking) - len(decided)
        step.say(f"{len(decided) - declined} endorsed, {declined} declined, {open_} still to be answered")


def _declines(meeting: Meeting) -> bool:
    return meeting.pair.ending == "declined" and meeting.stretch == 0


def _decide(cast: Cast, meeting: Meeting) -> Iterable[MasteryFact]:
    supervisor = cast.employee(endorser(cast, meeting))
    waiting = supervisor.pages("sessions", "/endorsements", state="open")
    request = next((item for item in waiting if item["session_id"] == meeting.id), None)
    if request is None:
        raise PlayError(f"nobody was asked to endorse session {meeting.id}")
    to = {"to": "declined", "reason": _DECLINED} if _declines(meeting) else {"to": "endorsed"}
    supervisor.post("sessions", f"/endorsements/{request['id']}/transitions", to)
    if _declines(meeting):
        return []
    learner, pair = cast.id(meeting.pair.learner), meeting.pair
    return [MasteryFact(request["id"], learner, pair.competency, pair.target, meeting.started_at)]


def endorser(cast: Cast, meeting: Meeting) -> str:
    """NIP of whoever endorses: the learner's supervisor, or the next one up when that is the guide."""
    superiors = cast.story.city.superiors(cast.story.city.people[meeting.pair.learner])
    return next(boss.nip for boss in superiors if boss.nip != meeting.pair.guide)
