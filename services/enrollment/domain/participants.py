"""Participants of a batch: nomination, seats and the waiting list, attendance, certificates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from infra.problems import Refused, Text

from . import histories
from .batches import Batch
from .employees import Employee, Placement

ParticipantState = Literal[
    "nominated",
    "accepted",
    "waitlisted",
    "declined",
    "attended",
    "absent",
    "certified",
    "not_certified",
    "withdrawn",
]
STATES: tuple[ParticipantState, ...] = ParticipantState.__args__  # type: ignore[attr-defined]
OUT = frozenset({"declined", "withdrawn"})
"""States of those who are no longer in the batch."""

RULES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "accepted": (frozenset({"nominated"}), frozenset({"open", "closed"})),
    "declined": (frozenset({"nominated"}), frozenset({"open", "closed"})),
    "withdrawn": (frozenset({"nominated", "waitlisted", "accepted"}), frozenset({"open", "closed", "running"})),
    "attended": (frozenset({"accepted"}), frozenset({"running"})),
    "absent": (frozenset({"accepted"}), frozenset({"running"})),
    "certified": (frozenset({"attended"}), frozenset({"running", "finished"})),
    "not_certified": (frozenset({"attended"}), frozenset({"running", "finished"})),
}
"""For each target of a transition: the participant's states and the batch's states that lead to it."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step. to: what was asked for, which differs from `state` where the seats were taken. at: effective."""

    state: ParticipantState
    to: ParticipantState
    at: datetime
    recorded_at: datetime
    by: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """number: public. code: random; who has both can verify the certificate."""

    number: str
    code: str


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """An employee in a batch.

    unit: where the seat is counted (agency, district, village). own_unit: where the person was at nomination.
    nominated_at, recorded_at: of the nomination, the order of the waiting list. promoted: accepted off that list.
    """

    id: str
    batch_id: str
    employee_id: str
    unit: str
    own_unit: str
    reason: str | None = None
    state: ParticipantState = "nominated"
    promoted: bool = False
    nominated_at: datetime
    recorded_at: datetime
    certified_at: datetime | None = None
    certificate: Certificate | None = None
    history: tuple[Step, ...] = ()


class Seats(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted of one batch, counted by unit."""

    by_unit: Mapping[str, int]

    @classmethod
    def of(cls, accepted: Iterable[str]) -> "Seats":
        """From the unit of each accepted participant."""
        return cls(by_unit=Counter(accepted))

    def room(self, batch: Batch, unit: str) -> bool:
        """Whether both the batch and the unit have a seat left."""
        return sum(self.by_unit.values()) < batch.seats and self.by_unit.get(unit, 0) < batch.seats_per_unit

    def plus(self, unit: str) -> "Seats":
        """With one more accepted."""
        return Seats(by_unit={**self.by_unit, unit: self.by_unit.get(unit, 0) + 1})


def check_nomination(
    batch: Batch, employee: Employee, at: datetime, others: Sequence[tuple[Participant, Batch]]
) -> Placement:
    """Where the person is at the time of nomination. Refuses whom the batch can't take.

    others: the person's participations, with their batches. Refusals: `batch-not-open`, `not-active`,
    `not-eligible`, `already-participant`, `dates-overlap`.
    """
    if batch.state != "open":
        raise Refused("batch-not-open", Text("Angkatan ini tidak sedang dibuka.", "This batch is not open."))
    placement = employee.at(at)
    if placement is None or not placement.active:
        raise histories.not_active(Text("Pegawai ini", "This employee"))
    if not batch.takes(placement):
        raise Refused(
            "not-eligible",
            Text(
                "Eselon atau jenis jabatannya tidak termasuk sasaran angkatan ini.",
                "The batch is not meant for this echelon or kind of position.",
            ),
        )
    active = [(participant, other) for participant, other in others if participant.state not in OUT]
    if any(participant.batch_id == batch.id for participant, _ in active):
        raise Refused(
            "already-participant",
            Text("Pegawai ini sudah menjadi peserta angkatan ini.", "This employee is in this batch already."),
        )
    if any(participant.state != "absent" and other.overlaps(batch) for participant, other in active):
        raise Refused(
            "dates-overlap",
            Text(
                "Pegawai ini peserta angkatan lain yang tanggalnya bertumpang tindih.",
                "This employee is in another batch whose dates overlap.",
            ),
        )
    return placement


def repeats(participant: Participant, step: Step) -> bool:
    """Whether the actor asks again for what they asked for last, and only the system has acted since."""
    for done in reversed(participant.history[1:]):
        if done.by == step.by:
            return done.to == step.to
        if not done.by.startswith("system:"):
            return False
    return False


def check_step(participant: Participant, batch: Batch, step: Step) -> None:
    """Refuses with `transition` or `effective-order` what can't be done to this participant now."""
    if step.to not in RULES:
        raise histories.wrong_transition(participant.state, step.to)
    own, whole = RULES[step.to]
    if participant.state not in own:
        raise histories.wrong_transition(participant.state, step.to)
    if batch.state not in whole:
        raise Refused(
            "transition",
            Text(
                "Tidak dapat dilakukan selama angkatan berstatus '{state}'.",
                "It can't be done while the batch is '{state}'.",
            ).format(state=batch.state),
        )
    histories.in_order(step.at, participant.history[-1].at)


def accept(participant: Participant, batch: Batch, seats: Seats, step: Step) -> Participant:
    """Accepted where the batch and the unit have a seat, else on the waiting list."""
    state: ParticipantState = "accepted" if seats.room(batch, participant.unit) else "waitlisted"
    return stepped(participant, msgspec.structs.replace(step, state=state))


def stepped(participant: Participant, step: Step) -> Participant:
    """The participant after a step."""
    return msgspec.structs.replace(participant, state=step.state, history=(*participant.history, step))


def by_system(
    participant: Participant, state: ParticipantState, at: datetime, now: datetime, by: str
) -> Participant:
    """After a step of the system, in effect together with its cause, but never before the last step."""
    effective = max(at, participant.history[-1].at)
    return stepped(participant, Step(state=state, to=state, at=effective, recorded_at=now, by=by))


def in_line(waiting: Iterable[Participant]) -> list[Participant]:
    """The waiting list: by effective time of nomination, then in the order of recording."""
    return sorted(waiting, key=lambda one: (one.nominated_at, one.recorded_at, one.id))


def next_in_line(batch: Batch, seats: Seats, waiting: Iterable[Participant]) -> Participant | None:
    """The first on the waiting list for whose unit there is a seat."""
    return next((one for one in in_line(waiting) if seats.room(batch, one.unit)), None)


def promote(participant: Participant, at: datetime, now: datetime, by: str) -> Participant:
    """Accepted off the waiting list by the system."""
    return msgspec.structs.replace(by_system(participant, "accepted", at, now, by), promoted=True)


def certify(participant: Participant, step: Step, certificate: Certificate) -> Participant:
    """Certified, with a certificate."""
    return msgspec.structs.replace(stepped(participant, step), certified_at=step.at, certificate=certificate)


def swept(participant: Participant, batch_state: str) -> ParticipantState | None:
    """Where the system puts a participant when the batch reaches a state; None when they stay as they are."""
    if batch_state == "running" and participant.state in ("nominated", "waitlisted"):
        return "declined"
    if batch_state == "cancelled" and participant.state not in (*OUT, "certified"):
        return "withdrawn"
    return None
