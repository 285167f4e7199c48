"""A queue in one sync ends as the same items would one by one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.component.sessions.world import START, World, body
from tests.support import Answer, Client

Write = tuple[int, int, int, str, int | None]
Item = tuple[str, int | None, dict[str, Any]]
End = tuple[str, Any]

WRITES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from((0, 15, 21, 30, 56, 60, 90)),
        st.sampled_from((4, 5, 25, 30, 60)),
        st.sampled_from(("planned", "held")),
        st.sampled_from((None, 1, 2)),
    ),
    min_size=1,
    max_size=12,
)


def in_one_queue(phone: Client, items: list[Item]) -> list[End]:
    queue = [{"id": id_, "base_version": base, **written} for id_, base, written in items]
    results = phone.post("/v1/sync", {"sessions": queue}).expect(200).body["results"]
    return [
        ("refused", one["problem"]["rule"]) if one["problem"] else ("stored", one["version"]) for one in results
    ]


def one_by_one(phone: Client, items: list[Item]) -> list[End]:
    return [outcome(phone.put(f"/v1/sessions/{id_}", written, version=base)) for id_, base, written in items]


def ended(world: World, writes: list[Write], way: Callable[[Client, list[Item]], list[End]]) -> list[Any]:
    """What was answered and what is stored, with people, a pairing and ids of its own."""
    guide, learner = world.employee(), world.employee()
    pairing = world.pairing(guide, learner)
    ids = [str(uuid4()) for _ in range(5)]
    items = []
    for number, offset, minutes, status, base in writes:
        at = START + timedelta(minutes=offset)
        items.append((ids[number], base, body(pairing, started_at=at, minutes=minutes, status=status)))
    answers = way(world.by(guide), items)
    kept = world.store.sessions.many(ids)
    states = [kept.get(id_) for id_ in ids]
    return answers + [one and (one.version, one.state.started_at, one.state.status) for one in states]


def outcome(answer: Answer) -> tuple[str, Any]:
    """What sync would say of a single PUT."""
    if answer.status in (200, 201):
        return "stored", answer.version
    return "refused", answer.body["rule"]


@pytest.mark.timeout(600)
def test_a_queue_ends_like_its_items_one_by_one(world: World) -> None:
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(WRITES)
    def check(writes: list[Write]) -> None:
        assert ended(world, writes, in_one_queue) == ended(world, writes, one_by_one)

    check()
