"""Trees given by pointing to a parent: units under units, employees under supervisors.

Lists of changes may name parents before they are defined, so a whole list is settled at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Settled(NamedTuple):
    """Which proposals can't stand. dependent: their parent was refused. cyclic: they would close a circle."""

    dependent: frozenset[str]
    cyclic: frozenset[str]


def upwards(node: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    """The node's parent, its parent and so on, nearest first; ends at a root, or where a circle would begin."""
    seen = {node}
    parent = parents.get(node)
    while parent is not None and parent not in seen:
        yield parent
        seen.add(parent)
        parent = parents.get(parent)


def parents_first(parents: Mapping[str, str | None]) -> list[str]:
    """All nodes, each behind its parent as far as there are no circles; else in their given order.

    Each node is gone up from once, however deep it lies: whole departments have stood in one line.
    """
    depths: dict[str | None, int] = dict.fromkeys(in_circles(parents), 0)
    for node in parents:
        path: list[str] = []
        above: str | None = node
        while above is not None and above in parents and above not in depths:
            path.append(above)
            above = parents[above]
        depths.update((each, depth) for depth, each in enumerate(reversed(path), depths.get(above, -1) + 1))
    return sorted(parents, key=depths.__getitem__)


def in_circles(parents: Mapping[str, str | None], starts: Iterable[str] | None = None) -> set[str]:
    """All nodes that lie on a circle of parents. starts: looks only at circles that one of these leads to."""
    done: set[str] = set()
    found: set[str] = set()
    for start in parents if starts is None else starts:
        path: list[str] = []
        node: str | None = start
        while node is not None and node not in done:
            done.add(node)
            path.append(node)
            node = parents.get(node)
        if node in path:
            found.update(path[path.index(node) :])
    return found


def settle(
    known: Mapping[str, str | None], proposed: Mapping[str, str | None], refused: frozenset[str]
) -> Settled:
    """Finds the proposals that fall because of others.

    known: node to parent as recorded. proposed: node to parent as a list asks for it; its values must be nodes
    of `known`, `proposed` or `refused`. refused: nodes whose own proposal was refused already. A proposal falls
    when its parent's proposal falls, or when it lies on a circle once all that still stand are carried out.
    """
    standing = {node: parent for node, parent in proposed.items() if node not in refused}
    children = _children(standing)
    dependent = _fall(standing, children, refused)
    parents = {**known, **standing}
    cyclic: set[str] = set()
    circle = in_circles(parents) & standing.keys()
    while circle:
        for node in circle:
            del standing[node]
        dropped = _fall(standing, children, circle)
        cyclic |= circle
        dependent |= dropped
        # What is recorded stays in force, which may close another circle, but only through one of these.
        changed = circle | dropped
        parents.update((node, known.get(node)) for node in changed)
        circle = in_circles(parents, changed) & standing.keys()
    return Settled(frozenset(dependent), frozenset(cyclic))


def _children(parents: Mapping[str, str | None]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for node, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(node)
    return children


def _fall(
    standing: dict[str, str | None], children: Mapping[str, Sequence[str]], fallen: Iterable[str]
) -> set[str]:
    """Takes from `standing` all that hangs, however far down, on something fallen; gives what it took."""
    dropped: set[str] = set()
    queue = list(fallen)
    while queue:
        for child in children.get(queue.pop(), ()):
            if child in standing:
                del standing[child]
                dropped.add(child)
                queue.append(child)
    return dropped
