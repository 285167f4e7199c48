"""Group commit: what many threads want from the database at the same moment goes there in one call.

A call costs PyMongo a few hundred microseconds of the interpreter, whether it carries one document or twenty.
Nobody waits for company: while one call is under way, what comes in gathers, and goes with the next.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class _Seat(Generic[A, R]):
    """What one thread asks for, and later its answer. `turn` is held until it is answered, or is to lead."""

    __slots__ = ("answer", "answered", "asked", "failure", "turn")

    answer: R

    def __init__(self, asked: A) -> None:
        self.asked = asked
        self.answered = False
        self.failure: BaseException | None = None
        self.turn = Lock()


class Together(Generic[A, R]):
    """Calls `work` with what up to `most` threads ask for; it gives one answer for each, in their order.

    One call is under way at a time. What `work` raises, everybody gets whose question was in that call.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R]], most: int) -> None:
        self._work = work
        self._most = most
        self._lock = Lock()
        self._waiting: deque[_Seat[A, R]] = deque()
        self._busy = False

    def __call__(self, asked: A) -> R:
        """The answer to this one; raises what `work` raises."""
        seat = _Seat[A, R](asked)
        seat.turn.acquire()
        with self._lock:
            self._waiting.append(seat)
            leads, self._busy = not self._busy, True
        if not leads:
            seat.turn.acquire()
        if not seat.answered:
            self._lead()
        if seat.failure is not None:
            raise seat.failure
        return seat.answer

    def _lead(self) -> None:
        """Takes along who waits, the leader first among them, and hands the lead on."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._answer(group)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            if following is not None:
                following.turn.release()
            for seat in group:
                seat.turn.release()

    def _answer(self, group: Sequence[_Seat[A, R]]) -> None:
        try:
            answers = self._work([seat.asked for seat in group])
            for seat, answer in zip(group, answers, strict=True):
                seat.answer = answer
        except Exception as error:  # noqa: BLE001 - whatever it is, each thread raises it
            for seat in group:
                seat.failure = error
        finally:
            for seat in group:
                seat.answered = True
