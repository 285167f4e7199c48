"""What phones send that must not be stored, and by which rule it is turned down."""

from typing import Any

from demo.ledger import Refusal
from demo.play.callers import PlayError, spread
from demo.play.cast import Cast
from demo.play.phones import session_body
from demo.story.phones import Mishap

_WHAT = {
    "session-overlap": "two learners at the same time",
    "session-in-future": "held, says a phone whose clock is days ahead",
    "pairing-not-active": "before the pairing was active",
    "not-the-guide": "written by the learner",
    "not-the-learner": "confirmed by the guide",
    "stale": "a second phone that knows an old version",
    "if-match-required": "a change that says no version",
    "endorsed": "a change of what was endorsed",
    "invalid": "four minutes",
    "transition": "a cancelled session confirmed",
}


def meet_refusals(cast: Cast) -> None:
    """Sends everything that must be refused."""
    with cast.stage.step("Phones send what must be refused") as step:
        step.total(len(cast.story.mishaps))
        refusals = spread(lambda mishap: _send(cast, mishap), cast.story.mishaps, step.advance)
        cast.ledger.refusals += refusals
        right = sum(refusal.rule == refusal.expected for refusal in refusals)
        step.say(f"{len(refusals)} sent, {right} refused by the rule that was expected")


def _send(cast: Cast, mishap: Mishap) -> Refusal:
    rule = _by_put(cast, mishap) if mishap.way == "put" else _by_sync(cast, mishap)
    return Refusal("phone", _WHAT[mishap.rule], mishap.rule, rule)


def _by_put(cast: Cast, mishap: Mishap) -> str:
    phone = cast.employee(mishap.poster)
    path = f"/sessions/{mishap.meeting.id}"
    if mishap.act == "confirm":
        return phone.ask("sessions", "POST", f"{path}/transitions", json={"to": "confirmed"}).rule
    body = session_body(cast, mishap.meeting, "held")
    return phone.ask("sessions", "PUT", path, version=_base(cast, mishap), json=body).rule


def _by_sync(cast: Cast, mishap: Mishap) -> str:
    item: dict[str, Any] = {"id": mishap.meeting.id}
    base = _base(cast, mishap)
    if base is not None:
        item["base_version"] = base
    sessions, transitions = [], []
    if mishap.act == "confirm":
        transitions.append({**item, "to": "confirmed"})
    else:
        sessions.append({**item, **session_body(cast, mishap.meeting, "held")})
    phone = cast.employee(mishap.poster)
    results = phone.post("sessions", "/sync", {"sessions": sessions, "transitions": transitions})["results"]
    if len(results) != 1:
        raise PlayError(f"one item was sent, {len(results)} were answered")
    return str((results[0].get("problem") or {}).get("rule") or results[0]["status"])


def _base(cast: Cast, mishap: Mishap) -> int | None:
    """The version that the phone says it knows."""
    if mishap.base == "none":
        return None
    if mishap.base == "old":
        return 1
    current = cast.employee(mishap.poster).get("sessions", f"/sessions/{mishap.meeting.id}")
    return int(current["version"])
