"""Trees that are given by pointing to a parent."""

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


@given(parents)
def test_parents_come_before_their_children(tree: dict[str, str | None]) -> None:
    """As far as there are no circles."""
    plain = acyclic(tree)
    order = forest.parents_first(plain)
    assert sorted(order) == sorted(plain)
    assert all(order.index(parent) < order.index(node) for node, parent in plain.items() if parent in plain)


def test_walking_up_ends_where_a_circle_would_begin() -> None:
    """So that no reader of old records can hang."""
    assert list(forest.upwards("a", {"a": "b", "b": "c", "c": "a"})) == ["b", "c"]
