"""The load generator against a server that answers as servers do: in pieces, with and without a body."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest

from bench.client import Load, Plan
from bench.load import Unexpected, checked

ANSWERS = [
    b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\n\r\n",
]


@pytest.fixture
def port() -> Iterator[int]:
    """A server that answers each request, on whichever connection, with the next of the answers, cut in two."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _serve(server: socket.socket) -> None:
    numbers = count()
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, numbers), daemon=True).start()


def _answer(connection: socket.socket, numbers: "count[int]") -> None:
    # A client that has its figures hangs up, in mid-answer as well.
    with suppress(ConnectionError):
        while connection.recv(1000):
            answer = ANSWERS[next(numbers) % len(ANSWERS)]
            connection.sendall(answer[:20])
            connection.sendall(answer[20:])


def test_every_request_is_sent_once_and_every_answer_counted(port: int) -> None:
    plan = Plan(port=port, requests=[b"GET / HTTP/1.1\r\n\r\n"] * 6, connections=2)
    report = Load(plan).run()
    assert report.done == 6
    assert report.statuses == {"201": 2, "200": 2, "204": 2}
    assert len(report.latencies) == 6
    assert all(seconds > 0 for seconds in report.latencies)


def test_it_ends_after_as_many_as_were_asked_for(port: int) -> None:
    plan = Plan(port=port, requests=[b"GET / HTTP/1.1\r\n\r\n"], connections=1, count=10, again=True)
    assert Load(plan).run().done == 10


def test_a_rate_is_not_exceeded(port: int) -> None:
    requests = [b"GET / HTTP/1.1\r\n\r\n"] * 1000
    report = Load(Plan(port=port, requests=requests, connections=4, rate=100, seconds=0.5)).run()
    assert report.done < 150


def test_another_answer_than_expected_is_no_figure(port: int) -> None:
    report = Load(Plan(port=port, requests=[b"GET / HTTP/1.1\r\n\r\n"] * 3, connections=1)).run()
    with pytest.raises(Unexpected, match="204"):
        checked(report, 200, 201)
