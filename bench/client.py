"""The load generator, a process of its own: ready-made requests over kept connections, as cheap as Python can.

On two cores the client must not hide what the server costs: it parses nothing but the status and the length.
"""

import json
import random
import select
import socket
import sys
import time
from collections import Counter, deque
from itertools import cycle
from pathlib import Path

import msgspec

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. rate: requests a second over all connections; None: each as soon as it was answered.

    seconds: that count, after `warm` seconds that don't. count: stop after so many that count. Requests are used
    in their order, each once unless `again`.
    """

    port: int
    requests: list[bytes]
    connections: int
    seconds: float = 0.0
    warm: float = 0.0
    rate: float | None = None
    count: int | None = None
    again: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. latencies: seconds of each answer that counted. statuses: of all answers."""

    done: int
    seconds: float
    latencies: list[float]
    statuses: dict[str, int]
    sample: str

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.done / self.seconds


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.answer = b""

    def send(self, request: bytes) -> None:
        """Sends a request."""
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Reads what has come; the status once the answer is whole."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed a connection")
        self.answer += data
        end = self.answer.find(_END)
        if end < 0:
            return None
        head = self.answer[:end].lower()
        place = head.find(_LENGTH)
        stop = head.find(b"\r\n", place)
        length = int(head[place + len(_LENGTH) : stop if stop > 0 else end]) if place >= 0 else 0
        return int(head[9:12]) if len(self.answer) >= end + 4 + length else None


class Load:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._connections = [Connection(plan.port) for _ in range(plan.connections)]
        self._by_number = {each.socket.fileno(): each for each in self._connections}
        self._requests = cycle(plan.requests) if plan.again else iter(plan.requests)
        self._spent = False
        self._poll = select.epoll()
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._sample = b""

    def run(self) -> Report:
        """Sends until time or requests are used up."""
        self._start = time.perf_counter() + self._plan.warm
        self._end = self._start + self._plan.seconds if self._plan.seconds else float("inf")
        self._due = time.perf_counter()
        # In turn, so that none is silent for as long as makes a server close it.
        self._idle = deque(self._connections)
        self._waiting = 0
        last = self._start
        while self._go_on():
            self._send_due()
            for number, _ in self._poll.poll(self._pause()):
                last = self._take(self._by_number[number]) or last
        seconds = last - self._start if self._spent or not self._plan.seconds else self._plan.seconds
        return Report(
            done=len(self._latencies),
            seconds=seconds,
            latencies=self._latencies,
            statuses=dict(self._statuses),
            sample=self._sample.decode(errors="replace")[:600],
        )

    def _go_on(self) -> bool:
        counted = self._plan.count is not None and len(self._latencies) >= self._plan.count
        return not counted and time.perf_counter() < self._end and not (self._spent and self._waiting == 0)

    def _pause(self) -> float:
        if self._plan.rate is None or not self._idle:
            return 0.1
        return min(max(self._due - time.perf_counter(), 0.0), 0.1)

    def _send_due(self) -> None:
        while self._idle and (self._plan.rate is None or self._due <= time.perf_counter()):
            request = next(self._requests, None)
            if request is None:
                self._spent = True
                return
            if self._plan.rate is not None:
                # Calls come when they come, not in step.
                self._due += random.expovariate(self._plan.rate)
            self._idle.popleft().send(request)
            self._waiting += 1

    def _take(self, connection: Connection) -> float | None:
        status = connection.receive()
        if status is None:
            return None
        now = time.perf_counter()
        self._waiting -= 1
        self._idle.append(connection)
        self._statuses[str(status)] += 1
        if status >= 300 or not self._sample:
            self._sample = connection.answer
        if self._start <= now <= self._end:
            self._latencies.append(now - connection.sent_at)
        return now


def main() -> int:
    """Runs the plan of the file named first, and prints the report."""
    plan = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    report = Load(plan).run()
    print(json.dumps(msgspec.to_builtins(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
