"""The first batch, entered today with the dates of 2016."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from demo.ledger import BatchFact, ParticipantFact, Refusal
from demo.play.callers import PlayError
from demo.play.cast import Cast, wire
from demo.story import training
from demo.story.training import Nominee


def train_representatives(cast: Cast) -> None:
    """From the nominations to the certificates."""
    batch = cast.hr.post("enrollment", "/batches", training.batch_body())["id"]
    cast.ledger.batches.append(BatchFact(batch, date(2016, 5, 16), training.JP))
    _move_batch(cast, batch, "open", training.OPENED)
    _nominate(cast, batch)
    _move_batch(cast, batch, "closed", training.CLOSED)
    _seat(cast)
    _move_batch(cast, batch, "running", training.STARTED)
    _certify(cast)
    _move_batch(cast, batch, "finished", training.FINISHED)
    _settle(cast, batch)


def _nominate(cast: Cast, batch: str) -> None:
    nominees = cast.story.nominees
    with cast.stage.step("Officers nominate for the batch of May 2016") as step:
        step.total(len(nominees))
        for nominee in nominees:
            answer = _post_nomination(cast, batch, nominee)
            if answer.status != 201:
                raise PlayError(f"{nominee.unit} could not nominate: {answer}")
            person = cast.id(nominee.nip)
            fact = ParticipantFact(answer.body["id"], person, answer.body["unit"], answer.body["state"])
            cast.ledger.participants[nominee.nip] = fact
            step.advance()
        _nominate_wrongly(cast, batch)
        step.say(f"{len(nominees)} echelon-IV officers, each with a reason")


def _nominate_wrongly(cast: Cast, batch: str) -> None:
    """The same officer again, and somebody without an echelon."""
    again = cast.story.nominees[0]
    staff = next(p for p in cast.story.city.staff(again.unit) if not p.echelon)
    for nip, rule, what in (
        (again.nip, "already-participant", "nominate somebody twice"),
        (staff.nip, "not-eligible", "nominate somebody without an echelon"),
    ):
        answer = _post_nomination(cast, batch, again, nip)
        cast.ledger.refusals.append(Refusal("officer", what, rule, answer.rule))


def _post_nomination(cast: Cast, batch: str, nominee: Nominee, nip: str | None = None) -> Any:
    body = {
        "employee_id": cast.id(nip or nominee.nip),
        "reason": nominee.reason,
        "effective_at": wire(nominee.at),
    }
    officer = cast.officer(nominee.officer, nominee.unit)
    return officer.ask("enrollment", "POST", f"/batches/{batch}/participants", json=body)


def _seat(cast: Cast) -> None:
    nominees = cast.story.nominees
    with cast.stage.step("HR accepts all; seats run out") as step:
        step.total(len(nominees))
        for place, nominee in enumerate(nominees):
            _move(cast, nominee, "accepted", training.DECIDED + timedelta(minutes=place))
            step.advance()
        waiting = [n for n in nominees if cast.ledger.participants[n.nip].state == "waitlisted"]
        leaver = next(n for n in nominees if n.outcome == "withdrawn")
        _move(cast, leaver, "withdrawn", training.WITHDREW)
        moved_up = _read(cast, waiting[0])
        step.say(
            f"{len(nominees) - len(waiting)} have a seat, {len(waiting)} wait; one withdraws, "
            f"the first in line is now {moved_up}"
        )


def _certify(cast: Cast) -> None:
    with cast.stage.step("Attendance and certificates") as step:
        seated = [n for n in cast.story.nominees if n.outcome in ("certified", "not_certified")]
        step.total(2 * len(seated))
        for nominee in seated:
            _move(cast, nominee, "attended", training.ATTENDED)
            step.advance()
        for nominee in seated:
            _move(cast, nominee, nominee.outcome, training.CERTIFIED)
            if nominee.outcome == "certified":
                cast.ledger.participants[nominee.nip].certified_at = training.CERTIFIED
            step.advance()
        certified = sum(n.outcome == "certified" for n in seated)
        step.say(f"{certified} certified, {len(seated) - certified} not")


def _settle(cast: Cast, batch: str) -> None:
    """Reads how each ended, the ones included whom nobody moved: those still waiting when it started."""
    for nominee in cast.story.nominees:
        _read(cast, nominee)
        if cast.ledger.participants[nominee.nip].state != nominee.outcome:
            raise PlayError(f"{nominee.unit}: expected {nominee.outcome}, {cast.ledger.participants[nominee.nip]}")
    counts = cast.hr.get("enrollment", f"/batches/{batch}")["counts"]
    mine = Counter(fact.state for fact in cast.ledger.participants.values())
    if any(counts.get(state, 0) != count for state, count in mine.items()):
        raise PlayError(f"the batch counts {counts}, its participants are {mine}")


def _read(cast: Cast, nominee: Nominee) -> str:
    fact = cast.ledger.participants[nominee.nip]
    fact.state = str(cast.hr.get("enrollment", f"/participants/{fact.id}")["state"])
    return fact.state


def _move(cast: Cast, nominee: Nominee, to: str, at: datetime) -> None:
    fact = cast.ledger.participants[nominee.nip]
    body = {"to": to, "effective_at": wire(at)}
    fact.state = cast.hr.post("enrollment", f"/participants/{fact.id}/transitions", body)["state"]


def _move_batch(cast: Cast, batch: str, to: str, at: datetime) -> None:
    cast.hr.post("enrollment", f"/batches/{batch}/transitions", {"to": to, "effective_at": wire(at)})
