"""What many threads ask for at once goes in few calls, and everybody gets their own answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from infra.storage.together import Together
from tests.support import eventually


class Work:
    """Doubles numbers, but not before it is let; notes what came together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.let = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.calls.append(list(asked))
        assert self.let.wait(30)
        if -1 in asked:
            raise ConnectionError
        return [2 * number for number in asked]


def ask(pool: ThreadPoolExecutor, together: Together[int, int], numbers: Sequence[int]) -> "list[Future[int]]":
    """Asks for all of them while the first call, for the first of them, is under way."""
    work: Work = together._work  # type: ignore[assignment]
    first = pool.submit(together, numbers[0])
    eventually(lambda: work.calls)
    rest = [pool.submit(together, number) for number in numbers[1:]]
    eventually(lambda: len(together._waiting) == len(rest))
    work.let.set()
    return [first, *rest]


def test_what_comes_meanwhile_goes_together() -> None:
    """Three calls for 12 threads: the first alone, then as many as may go in one."""
    together = Together(work := Work(), most=8)
    with ThreadPoolExecutor(12) as pool:
        answers = [future.result(30) for future in ask(pool, together, range(12))]
    assert answers == [2 * number for number in range(12)]
    assert [len(call) for call in work.calls] == [1, 8, 3]


def test_a_failure_meets_those_of_its_call_alone() -> None:
    """Who was in another call is served, and so is who comes after."""
    together = Together(work := Work(), most=2)
    with ThreadPoolExecutor(5) as pool:
        futures = ask(pool, together, [1, 2, -1, 3, 4])
        failed = {number for number, future in zip([1, 2, -1, 3, 4], futures, strict=True) if future.exception(30)}
    assert failed == set(next(call for call in work.calls if -1 in call))
    assert together(5) == 10


def test_many_threads_for_long_lose_nothing() -> None:
    """4,000 questions of 16 threads, each answered once and rightly."""
    seen: list[int] = []

    def work(asked: Sequence[int]) -> list[int]:
        seen.extend(asked)
        return [number + 1 for number in asked]

    together = Together(work, most=5)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(together, range(4000))) == list(range(1, 4001))
    assert sorted(seen) == list(range(4000))


def test_alone_it_is_a_plain_call() -> None:
    """One thread waits for nobody, and gets what the work raises as it is."""
    work = Work()
    work.let.set()
    together = Together(work, most=3)
    assert together(4) == 8
    with pytest.raises(ConnectionError):
        together(-1)
