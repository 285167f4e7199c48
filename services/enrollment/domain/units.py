"""The organisation tree: units with a dated history, and the tree as it stood at an instant."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from infra.problems import Refused, Text

from . import forest, histories

UnitKind = Literal["city", "agency", "district", "village", "division", "section"]
SEAT_KINDS = frozenset({"agency", "district", "village"})
"""Seats are counted, and representatives cover, at the nearest unit of one of these kinds."""


class UnitForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit was like from `since` on."""

    since: datetime = msgspec.field(name="from")
    name: str
    kind: UnitKind
    parent: str | None
    state: Literal["active", "closed"] = "active"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the organisation tree. id: its code, which never changes."""

    id: str
    history: tuple[UnitForm, ...]

    @property
    def now(self) -> UnitForm:
        """The form recorded last: nothing takes effect in the future."""
        return self.history[-1]

    def at(self, instant: datetime) -> UnitForm:
        """The form at the instant; before its first record the unit counts as having had its first form."""
        return histories.at(self.history, instant) or self.history[0]


class Tree:
    """All units as they stood at one instant."""

    def __init__(self, units: Iterable[Unit], instant: datetime) -> None:
        self.forms: Mapping[str, UnitForm] = {unit.id: unit.at(instant) for unit in units}
        self._parents = {code: form.parent for code, form in self.forms.items()}
        self._children: dict[str, list[str]] = {}
        for code, parent in self._parents.items():
            if parent is not None:
                self._children.setdefault(parent, []).append(code)

    def is_active(self, code: str) -> bool:
        """Whether there is such a unit and it was not closed."""
        form = self.forms.get(code)
        return form is not None and form.state == "active"

    def chain(self, code: str) -> Iterator[str]:
        """The unit itself and all above it, nearest first."""
        yield code
        yield from forest.upwards(code, self._parents)

    def covers(self, above: str, code: str) -> bool:
        """Whether `code` is the unit `above` or lies below it."""
        return above in self.chain(code)

    def below(self, code: str) -> frozenset[str]:
        """The unit and all below it; empty when there is no such unit."""
        found: set[str] = set()
        queue = [code] if code in self.forms else []
        while queue:
            unit = queue.pop()
            if unit not in found:
                found.add(unit)
                queue.extend(self._children.get(unit, ()))
        return frozenset(found)

    def seat_unit(self, code: str) -> str:
        """Where seats of this unit are counted: the nearest agency, district or village, else the unit itself."""
        for unit in self.chain(code):
            if unit in self.forms and self.forms[unit].kind in SEAT_KINDS:
                return unit
        return code


def put(unit: Unit | None, code: str, form: UnitForm) -> Unit:
    """The unit with this content from `form.since` on; the same unit when nothing would change.

    Refuses with `effective-order`, and with `transition` a change of a closed unit.
    """
    if unit is None:
        return Unit(id=code, history=(form,))
    if (form.name, form.kind, form.parent) == (unit.now.name, unit.now.kind, unit.now.parent):
        return unit
    if unit.now.state == "closed":
        raise histories.wrong_transition("closed", "changed")
    return Unit(id=code, history=histories.appended(unit.history, form))


def close(unit: Unit, at: datetime, *, in_use: bool) -> Unit:
    """The unit closed from `at` on; the same if it was closed already.

    in_use: whether active people or active units are in it then or later.
    """
    if unit.now.state == "closed":
        return unit
    if in_use:
        raise Refused(
            "unit-in-use",
            Text(
                "Unit ini masih mempunyai pegawai atau unit bawahan yang aktif.",
                "This unit still has active people or active units below it.",
            ),
        )
    form = msgspec.structs.replace(unit.now, since=at, state="closed")
    return Unit(id=unit.id, history=histories.appended(unit.history, form))


def check_tree(units: Mapping[str, Unit], changed: Unit) -> None:
    """Refuses a change that leaves no single tree: `unit-unknown`, `unit-closed`, `unit-cycle`, `unit-root`.

    units: all units as recorded. The tree is checked at the change and at every later change of any unit.
    """
    form, parent = changed.now, changed.now.parent
    others = [unit for code, unit in units.items() if code != changed.id]
    if parent is None and any(unit.now.parent is None for unit in others):
        raise Refused("unit-root", Text("Sudah ada unit puncak yang lain.", "There is another root already."))
    if parent is None:
        return
    if parent != changed.id and parent not in units:
        raise unknown_unit()
    later = {f.since for unit in others for f in unit.history if f.since > form.since}
    for instant in (form.since, *sorted(later)):
        tree = Tree((*others, changed), instant)
        if (
            changed.id in forest.upwards(parent, {c: f.parent for c, f in tree.forms.items()})
            or parent == changed.id
        ):
            raise unit_cycle()
    if not Tree(others, form.since).is_active(parent):
        raise closed_unit()


def unknown_unit() -> Refused:
    """409 `unit-unknown`: a reference to a unit that isn't recorded."""
    return Refused("unit-unknown", Text("Unit tidak dikenal.", "There is no such unit."))


def closed_unit() -> Refused:
    """409 `unit-closed`: a reference to a unit that was closed at the effective time."""
    return Refused("unit-closed", Text("Unit sudah ditutup pada saat itu.", "The unit was closed at that time."))


def unit_cycle() -> Refused:
    """409 `unit-cycle`: a unit would lie below itself."""
    return Refused(
        "unit-cycle", Text("Unit akan berada di bawah dirinya sendiri.", "The unit would lie below itself.")
    )
