"""Trees that are given by pointing to a parent."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain import forest

nodes = st.sampled_from([*"abcdefgh"])
parents = st.dictionaries(nodes, st.one_of(st.none(), nodes))


def acyclic(tree: dict[str, str | None]) -> dict[str, str | None]:
    """The same without what lies on circles."""
    found = forest.in_circles(tree)
    return {node: parent for node, parent in tree.items() if node not in found}


def reaches_itself(node: str, tree: dict[str, str | None]) -> bool:
    """The plainest way to see whether a node lies on a circle."""
    at = tree.get(node)
    for _ in range(len(tree) + 1):
        if at == node:
            return True
        at = tree.get(at) if at is not None else None
    return False


@given(parents)
def test_circles_are_found_and_nothing_else(tree: dict[str, str | None]) -> None:
    """Compared with walking up from every node."""
    assert forest.in_circles(tree) == {node for node in tree if reaches_itself(node, tree)}


@given(parents, parents, st.frozensets(nodes))
def test_what_stands_in_the_end_has_no_circle_and_hangs_on_nothing_refused(
    known: dict[str, str | None], proposed: dict[str, str | None], refused: frozenset[str]
) -> None:
    """Whatever is asked for, in whatever order."""
    before = acyclic(known)
    refused &= proposed.keys()
    asked = {n: p for n, p in proposed.items() if p is None or p in before or p in proposed}
    settled = forest.settle(before, asked, refused)
    fallen = settled.dependent | settled.cyclic | refused
    standing = {node: parent for node, parent in asked.items() if node not in fallen}
    assert not forest.in_circles({**before, **standing})
    assert not any(parent in fallen for parent in standing.values())
    assert not (settled.dependent | settled.cyclic) & refused


@given(parents, parents, st.frozensets(nodes))
def test_what_falls_is_what_falls_when_all_is_looked_at_each_time(
    known: dict[str, str | None], proposed: dict[str, str | None], refused: frozenset[str]
) -> None:
    """After each round of circles only what changed is looked at: compared with the plainest way."""
    before = acyclic(known)
    refused &= proposed.keys()
    asked = {n: p for n, p in proposed.items() if p is None or p in before or p in proposed}
    standing = {node: parent for node, parent in asked.items() if node not in refused}
    fallen, cyclic = set(refused), set[str]()
    while True:
        while hanging := {node for node, parent in standing.items() if parent in fallen}:
            fallen |= hanging
            standing = {node: parent for node, parent in standing.items() if node not in hanging}
        circle = forest.in_circles({**before, **standing}) & standing.keys()
        if not circle:
            break
        cyclic |= circle
        fallen |= circle
        standing = {node: parent for node, parent in standing.items() if node not in circle}
    assert forest.settle(before, asked, refused) == forest.Settled(
        frozenset(fallen - cyclic - refused), frozenset(cyclic)
    )


def test_circles_that_open_others_cost_no_more_than_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each head under one of their own reports: what is recorded of one closes the circle of the next."""
    heads = 500
    known: dict[str, str | None] = {f"head {n}": f"head {n + 1}" for n in range(heads)}
    known |= {f"report {n}": f"head {n - 1}" for n in range(1, heads + 1)}
    proposed: dict[str, str | None] = {f"head {n}": f"report {max(n, 1)}" for n in range(heads)}
    seen = 0
    in_circles = forest.in_circles

    def counted(parents: dict[str, str | None], starts: set[str] | None = None) -> set[str]:
        nonlocal seen
        seen += len(parents if starts is None else starts)
        return in_circles(parents, starts)

    monkeypatch.setattr(forest, "in_circles", counted)
    assert forest.settle(known, proposed, frozenset()).cyclic == proposed.keys()
    assert seen <= len(known) + len(proposed)


@given(parents)
def test_parents_come_before_their_children(tree: dict[str, str | None]) -> None:
    """As far as there are no circles."""
    plain = acyclic(tree)
    order = forest.parents_first(plain)
    assert sorted(order) == sorted(plain)
    assert all(order.index(parent) < order.index(node) for node, parent in plain.items() if parent in plain)


@given(parents)
def test_parents_first_goes_by_how_many_are_above(tree: dict[str, str | None]) -> None:
    """Compared with walking up from every node; those at one depth stay in their given order."""
    plain = acyclic(tree)
    assert forest.parents_first(plain) == sorted(
        plain, key=lambda node: sum(1 for above in forest.upwards(node, plain) if above in plain)
    )


class Steps(dict[str, str | None]):
    """Bears only so many steps from a node to its parent: twice as many as there are nodes."""

    taken = 0

    def __getitem__(self, node: str) -> str | None:
        self._step()
        return super().__getitem__(node)

    def get(self, node: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """As above."""
        self._step()
        return super().get(node, default)

    def _step(self) -> None:
        self.taken += 1
        assert self.taken <= 2 * len(self)


def downwards(rows: list[int]) -> list[int]:
    """As in the file."""
    return rows


def upwards(rows: list[int]) -> list[int]:
    """The deepest first."""
    return rows[::-1]


def mixed(rows: list[int]) -> list[int]:
    """In no order."""
    return random.Random(1).sample(rows, len(rows))


@pytest.mark.parametrize("order", [downwards, upwards, mixed])
def test_a_column_that_was_filled_down_costs_no_more_than_another(order: Callable[[list[int]], list[int]]) -> None:
    """Everybody under the one in the row above: as deep as the file is long."""
    rows = list(range(100_000))
    line = Steps({str(row): str(row - 1) if row else None for row in order(rows)})
    assert forest.parents_first(line) == [str(row) for row in rows]


def test_walking_up_ends_where_a_circle_would_begin() -> None:
    """So that no reader of old records can hang."""
    assert list(forest.upwards("a", {"a": "b", "b": "c", "c": "a"})) == ["b", "c"]
