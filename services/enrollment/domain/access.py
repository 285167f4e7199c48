"""Who may do what (Programme rules, Who may do what): one table of actions, and what each actor may see.

A role that never may do a thing gets 403; a record that the caller must not know of is 404.
"""

from collections.abc import Mapping

import msgspec

from infra.actor import Actor
from infra.problems import Text, forbidden

REFERENCE = frozenset({"hr", "officer", "employee", "leader", "auditor"})
"""Units, competencies and needs name no person: all who work with the programme read them."""

ROLES: Mapping[str, frozenset[str]] = {
    "units.write": frozenset({"hr"}),
    "units.read": REFERENCE,
    "competencies.write": frozenset({"hr"}),
    "competencies.read": REFERENCE,
    "needs.write": frozenset({"hr", "officer"}),
    "needs.read": REFERENCE,
    "gaps.read": frozenset({"hr", "officer", "leader", "auditor"}),
    "imports.write": frozenset({"hr"}),
    "imports.read": frozenset({"hr", "auditor"}),
    # Whole rows of files, with NIPs, addresses and telephones: those are for HR and oneself.
    "imports.rejects": frozenset({"hr"}),
    "employees.write": frozenset({"hr"}),
    "employees.list": frozenset({"hr", "officer", "auditor"}),
    "employees.read": frozenset({"hr", "officer", "employee", "auditor"}),
    "approvals.write": frozenset({"hr"}),
    "approvals.read": frozenset({"hr", "officer", "employee", "auditor"}),
    "batches.write": frozenset({"hr"}),
    "batches.read": frozenset({"hr", "officer", "employee", "auditor"}),
    "participants.write": frozenset({"hr", "officer"}),
    "participants.read": frozenset({"hr", "officer", "employee", "auditor"}),
    "participants.move": frozenset({"hr", "officer", "employee"}),
    "pairings.write": frozenset({"hr", "officer"}),
    "pairings.read": frozenset({"hr", "officer", "employee", "auditor"}),
    "pairings.move": frozenset({"hr", "officer", "employee"}),
}

NOT_YOURS = Text("Ini di luar wewenang Anda.", "This is outside of what you may do.")
HR_ONLY = Text("Hanya pengelola kepegawaian yang dapat melakukan ini.", "Only HR can do this.")


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records an actor may read.

    everything: HR and auditors. units: an officer's unit and all below it, today. own: the actor's id as an
    employee. reports: ids of the direct and indirect reports.
    """

    everything: bool = False
    units: frozenset[str] = frozenset()
    own: str | None = None
    reports: frozenset[str] = frozenset()

    def of_employee(self, id_: str, unit: str) -> bool:
        """Whether the record of someone in this unit may be read."""
        return self.everything or unit in self.units or id_ == self.own or id_ in self.reports

    def of_participant(self, employee_id: str, unit: str) -> bool:
        """Whether a participation may be read. A supervisor doesn't see who else was thought to have potential."""
        return self.everything or unit in self.units or employee_id == self.own

    def of_pairing(self, guide_id: str, learner_id: str, units: tuple[str, str]) -> bool:
        """Whether a pairing may be read. units: of guide and learner."""
        inside = not self.units.isdisjoint(units)
        return self.everything or inside or self.own in (guide_id, learner_id) or learner_id in self.reports


def check(actor: Actor, action: str) -> None:
    """403 unless one of the actor's roles may ever do this."""
    if not actor.has(*ROLES[action]):
        raise forbidden(Text("Peran Anda tidak berhak melakukan ini.", "Your role doesn't allow this."))


def sees_everything(actor: Actor) -> bool:
    """Whether no record is hidden from the actor."""
    return actor.has("hr", "auditor")


def sees_contacts(actor: Actor, employee_id: str) -> bool:
    """NIP, mail and telephone are for HR and oneself alone."""
    return actor.has("hr") or is_own(actor, employee_id)


def sees_reasons(actor: Actor) -> bool:
    """Why a pairing ended is for HR alone, and for those who read all."""
    return sees_everything(actor)


def sees_certificate_code(actor: Actor, employee_id: str) -> bool:
    """The code of a certificate is for its holder to give away; HR prints it."""
    return sees_everything(actor) or is_own(actor, employee_id)


def is_own(actor: Actor, employee_id: str) -> bool:
    """Whether the actor is this employee, and acts as one."""
    return actor.has("employee") and actor.sub == employee_id


def check_unit(actor: Actor, unit: str, scope: frozenset[str]) -> None:
    """403 unless the actor is HR, or an officer of this unit or of one above. scope: the officer's units."""
    if not actor.has("hr") and not (actor.has("officer") and unit in scope):
        raise forbidden(NOT_YOURS)


def check_inside(unit: str, seen: frozenset[str]) -> None:
    """403 for a unit outside of those that the actor may look into."""
    if unit not in seen:
        raise forbidden(NOT_YOURS)


def check_participant_step(actor: Actor, to: str, employee_id: str, unit: str, scope: frozenset[str]) -> None:
    """403 unless HR, or a withdrawal by the participant or by the officer who could have nominated them."""
    if actor.has("hr"):
        return
    if to != "withdrawn":
        raise forbidden(HR_ONLY)
    if not is_own(actor, employee_id):
        check_unit(actor, unit, scope)


def check_pairing_step(actor: Actor, to: str, sides: frozenset[str]) -> None:
    """403 unless HR activates or ends, or one of the two consents, declines or ends."""
    is_side = bool(sides) and actor.has("employee")
    if to in ("accepted", "declined"):
        allowed = is_side
    elif to == "ended":
        allowed = is_side or actor.has("hr")
    else:
        allowed = actor.has("hr")
    if not allowed:
        raise forbidden(NOT_YOURS)


def check_dating(actor: Actor, *, given: bool, sides: frozenset[str] = frozenset()) -> None:
    """403 when someone dates a step who may not: HR and officers may, and the two of a pairing their consent."""
    if given and not actor.has("hr", "officer") and not sides:
        raise forbidden(
            Text("Anda tidak dapat menentukan waktu berlaku.", "You can't give the time at which it takes effect.")
        )
