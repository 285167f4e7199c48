"""Pairings of a guide and a learner: proposal, consent, activation, end (Programme rules, Pairing)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from infra.problems import Refused, Text

from . import histories
from .competencies import Competency

PairingKind = Literal["coaching", "mentoring"]
PairingState = Literal["proposed", "active", "completed", "ended"]
ASPECTS = {"coaching": "attitude", "mentoring": "technique"}
SILENCE = timedelta(days=7)
"""After so long without both consents a proposal goes to HR; counted from recording."""


class PairingStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step. to: what was asked for (`accepted` leaves the state as it is until both have). at: effective."""

    state: PairingState
    to: str
    at: datetime
    recorded_at: datetime
    by: str


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One guide and one learner, for one competency, until the learner has the target level.

    reason: why it ended, which only HR sees. escalated: seven days passed without both consents.
    """

    id: str
    kind: PairingKind
    guide_id: str
    learner_id: str
    competency: str
    target_level: int
    due_on: date
    goal: str | None = None
    state: PairingState = "proposed"
    guide_accepted: bool = False
    learner_accepted: bool = False
    escalated: bool = False
    reason: str | None = None
    active_at: datetime | None = None
    ended_at: datetime | None = None
    history: tuple[PairingStep, ...] = ()

    def is_overdue(self, today: date) -> bool:
        """Whether the due date has passed without mastery, or the proposal has met with silence."""
        if self.state == "active":
            return self.due_on < today
        return self.state == "proposed" and self.escalated

    def sides_of(self, sub: str) -> frozenset[str]:
        """Which sides this person is on."""
        sides = {"guide": self.guide_id, "learner": self.learner_id}
        return frozenset(side for side, who in sides.items() if who == sub)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Most active pairings at once."""

    guide: int = 5
    learner: int = 2


def check_proposal(kind: PairingKind, guide_id: str, learner_id: str, competency: Competency) -> None:
    """Refuses only `self-guidance` and `aspect`; the rest is checked at activation."""
    if guide_id == learner_id:
        raise Refused(
            "self-guidance", Text("Tidak seorang pun membimbing dirinya sendiri.", "Nobody guides themselves.")
        )
    check_aspect(kind, competency)


def check_aspect(kind: PairingKind, competency: Competency) -> None:
    """Coaching is for attitudes, mentoring for techniques."""
    if ASPECTS[kind] != competency.aspect:
        raise Refused(
            "aspect",
            Text(
                "Coaching untuk sikap, mentoring untuk teknik; kompetensi ini bukan untuk '{kind}'.",
                "Coaching is for attitudes, mentoring for techniques; this competency isn't for '{kind}'.",
            ).format(kind=kind),
        )


def repeats(pairing: Pairing, step: PairingStep) -> bool:
    """Whether the actor asks again for what they asked for last."""
    own = [one for one in pairing.history[1:] if one.by == step.by]
    last = own[-1] if own else None
    if last is None or last.to != step.to:
        return False
    return (step.to == "accepted" and pairing.state in ("proposed", "active")) or last is pairing.history[-1]


def consented(pairing: Pairing, step: PairingStep) -> Pairing:
    """The proposal with the consent of the actor's side; still proposed, also when it was the second."""
    if pairing.state != "proposed":
        raise histories.wrong_transition(pairing.state, "accepted")
    histories.in_order(step.at, pairing.history[-1].at)
    sides = pairing.sides_of(step.by)
    return msgspec.structs.replace(
        pairing,
        guide_accepted=pairing.guide_accepted or "guide" in sides,
        learner_accepted=pairing.learner_accepted or "learner" in sides,
        history=(*pairing.history, msgspec.structs.replace(step, state="proposed")),
    )


def activated(pairing: Pairing, step: PairingStep) -> Pairing:
    """The pairing at work."""
    if pairing.state != "proposed":
        raise histories.wrong_transition(pairing.state, "active")
    histories.in_order(step.at, pairing.history[-1].at)
    step = msgspec.structs.replace(step, state="active")
    # The consent that completes the two is itself the step that activates.
    consent = pairing.history[-1]
    same = consent.by == step.by and consent.recorded_at == step.recorded_at and consent.to == "accepted"
    kept = pairing.history[:-1] if same else pairing.history
    return msgspec.structs.replace(pairing, state="active", active_at=step.at, history=(*kept, step))


def ended(pairing: Pairing, step: PairingStep, reason: str | None) -> Pairing:
    """The pairing at its end, also for a declined proposal."""
    if pairing.state not in ("proposed", "active") or (step.to == "declined" and pairing.state != "proposed"):
        raise histories.wrong_transition(pairing.state, step.to)
    histories.in_order(step.at, pairing.history[-1].at)
    step = msgspec.structs.replace(step, state="ended")
    return msgspec.structs.replace(
        pairing, state="ended", ended_at=step.at, reason=reason, history=(*pairing.history, step)
    )


def completed(pairing: Pairing, at: datetime, now: datetime, by: str) -> Pairing:
    """The pairing after its mastery was endorsed; the same when it is no longer active."""
    if pairing.state != "active":
        return pairing
    effective = max(at, pairing.history[-1].at)
    step = PairingStep(state="completed", to="completed", at=effective, recorded_at=now, by=by)
    return msgspec.structs.replace(
        pairing, state="completed", ended_at=effective, history=(*pairing.history, step)
    )


def escalated(pairing: Pairing) -> Pairing:
    """The proposal handed to HR after seven days of silence; the same when it has been decided."""
    if pairing.state != "proposed" or pairing.escalated:
        return pairing
    return msgspec.structs.replace(pairing, escalated=True)


def check_capacity(pairing: Pairing, active: Iterable[Pairing], limits: Limits) -> None:
    """Refuses with `pairing-duplicate`, `guide-full` or `learner-full`.

    active: the active pairings of the guide and of the learner, without this one.
    """
    others = [other for other in active if other.id != pairing.id]
    same = (pairing.guide_id, pairing.learner_id, pairing.competency)
    if any((other.guide_id, other.learner_id, other.competency) == same for other in others):
        raise Refused(
            "pairing-duplicate",
            Text("Pasangan bimbingan yang sama sudah berjalan.", "The same pairing is active already."),
        )
    if sum(other.guide_id == pairing.guide_id for other in others) >= limits.guide:
        raise Refused(
            "guide-full",
            Text(
                "Pembimbing sudah mempunyai {n} pasangan aktif.", "The guide has {n} active pairings already."
            ).format(n=limits.guide),
        )
    if sum(other.learner_id == pairing.learner_id for other in others) >= limits.learner:
        raise Refused(
            "learner-full",
            Text(
                "Yang dibimbing sudah mempunyai {n} pasangan aktif.",
                "The learner has {n} active pairings already.",
            ).format(n=limits.learner),
        )


def guide_not_allowed() -> Refused:
    """409 `guide-not-allowed`: no ground on which the one may guide the other."""
    return Refused(
        "guide-not-allowed",
        Text(
            "Pembimbing ini tidak berhak membimbing pegawai itu dalam kompetensi tersebut.",
            "This guide may not guide that employee in the competency.",
        ),
    )
