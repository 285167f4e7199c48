"""Pairings: HR proposes, guide and learner accept; and the learner who becomes a guide."""

from datetime import timedelta
from typing import Any

from demo.ledger import Refusal
from demo.play.callers import PlayError, spread, wait_for
from demo.play.cast import Cast, wire
from demo.story import words
from demo.story.days import at
from demo.story.office import approval_day
from demo.story.pairs import Pair


def pair_up(cast: Cast) -> None:
    """All pairings that begin with the season."""
    pairs = [pair for pair in cast.story.pairs if pair.ground != "approved"]
    with cast.stage.step("HR proposes pairings, guides and learners accept") as step:
        step.total(len(pairs))
        ids = spread(lambda pair: _pair(cast, pair), pairs, step.advance)
        cast.ledger.pairings.update(zip((pair.key for pair in pairs), ids, strict=True))
        _pair_wrongly(cast)
        coaching = sum(pair.kind == "coaching" for pair in pairs)
        step.say(
            f"{coaching} of coaching, {len(pairs) - coaching} of mentoring, dated {pairs[0].proposed:%d %B %Y}"
        )


def make_a_guide(cast: Cast) -> None:
    """Once the first learner of the office masters drafting letters, HR approves, and the cascade goes on."""
    office = cast.story.office
    first = office.learners[0]
    cascade = cast.story.office_pairs[2]
    with cast.stage.step("A learner becomes a guide") as step:
        wait_for(f"the mastery of {first.name} in enrollment", lambda: _mastered(cast, first.nip))
        approved = at(approval_day(cast.story.season), 8)
        body = {"competency": words.LETTERS, "effective_at": wire(approved)}
        cast.hr.post("enrollment", f"/employees/{cast.id(first.nip)}/guide-approvals", body)
        cast.ledger.pairings[cascade.key] = _pair(cast, cascade)
        step.say(f"{first.name} has mastered letters and now mentors {office.next_learner.name}")


def _mastered(cast: Cast, nip: str) -> bool | None:
    skills = cast.hr.get("enrollment", f"/employees/{cast.id(nip)}")["skills"]
    found = any(s["competency"] == words.LETTERS and s["level"] >= 3 for s in skills)
    return True if found else None


def _pair(cast: Cast, pair: Pair) -> str:
    """Proposed by HR, accepted by both; returns its id."""
    pairing = _propose(cast, pair)
    cast.employee(pair.guide).post("enrollment", *_consent(pairing, pair, minutes=45))
    active = cast.employee(pair.learner).post("enrollment", *_consent(pairing, pair, minutes=90))
    if active["state"] != "active":
        raise PlayError(f"both sides accepted, yet it is not active: {active}")
    return str(pairing["id"])


def _propose(cast: Cast, pair: Pair) -> Any:
    body = {
        "kind": pair.kind,
        "guide_id": cast.id(pair.guide),
        "learner_id": cast.id(pair.learner),
        "competency": pair.competency,
        "target_level": pair.target,
        "due_on": pair.due_on.isoformat(),
        "goal": words.goal(pair.competency, pair.target),
        "effective_at": wire(pair.proposed),
    }
    return cast.hr.post("enrollment", "/pairings", body)


def _consent(pairing: Any, pair: Pair, minutes: int) -> tuple[str, dict[str, str]]:
    at_ = wire(pair.proposed + timedelta(minutes=minutes))
    return f"/pairings/{pairing['id']}/transitions", {"to": "accepted", "effective_at": at_}


def _pair_wrongly(cast: Cast) -> None:
    """Somebody who may not guide, and the same three (guide, learner, competency) again."""
    model = cast.story.office_pairs[0]
    outsider = next(p.nip for p in cast.story.city.staff("DISDIK") if not p.echelon)
    for changed, rule, what in (
        ({"guide_id": cast.id(outsider)}, "guide-not-allowed", "activate a pairing whose guide may not guide"),
        ({}, "pairing-duplicate", "activate the same pairing twice"),
    ):
        body = {
            "kind": model.kind,
            "guide_id": cast.id(model.guide),
            "learner_id": cast.id(model.learner),
            "competency": model.competency,
            "target_level": model.target,
            "due_on": model.due_on.isoformat(),
            **changed,
        }
        pairing = cast.hr.post("enrollment", "/pairings", body)
        path = f"/pairings/{pairing['id']}/transitions"
        answer = cast.hr.ask("enrollment", "POST", path, json={"to": "active"})
        cast.ledger.refusals.append(Refusal("HR portal", what, rule, answer.rule))
        cast.hr.post("enrollment", path, {"to": "ended", "reason": "Pasangan keliru."})
