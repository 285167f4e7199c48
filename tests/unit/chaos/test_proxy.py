"""The proxy between those who ask and those who answer, where no TCP tool would do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from kafka.protocol.metadata import ApiVersionsRequest
from kafka.protocol.producer import ProduceRequest, ProduceResponse

from chaos.proxy import Proxy
from tests.support import PATIENCE_SECONDS, eventually

VERSION = 9
STORAGE_ERROR = 56


class Broker:
    """Answers every request of Kafka's protocol with its number and `done`; keeps what it was asked, by number."""

    def __init__(self, server: socket.socket) -> None:
        self.asked: dict[int, int] = {}
        self._server = server

    def run(self) -> None:
        with suppress(OSError):
            while True:
                end, _ = self._server.accept()
                threading.Thread(target=self._answer, args=(end,), daemon=True).start()

    def _answer(self, end: socket.socket) -> None:
        with end, suppress(OSError, EOFError):
            while request := frame(end):
                self.asked[int.from_bytes(request[4:8], "big")] = int.from_bytes(request[:2], "big")
                answer = request[4:8] + b"done"
                end.sendall(len(answer).to_bytes(4, "big") + answer)


def frame(end: socket.socket) -> bytes:
    return exactly(end, int.from_bytes(exactly(end, 4), "big"))


def exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = end.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@pytest.fixture
def broker() -> Iterator[Broker]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Broker(server)
        threading.Thread(target=made.run, daemon=True).start()
        yield made


@pytest.fixture(params=[True], ids=["kafka"])
def proxy(broker: Broker, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with Proxy(kafka=request.param) as made:
        made.lead_to(broker._server.getsockname()[1])
        yield made


def call(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_SECONDS)


def plain(number: int) -> bytes:
    request = ApiVersionsRequest(version=0)
    request.with_header(number)
    return bytes(request.encode(framed=True, header=True))


def write(number: int, topic: str) -> bytes:
    Topic = ProduceRequest.TopicProduceData  # noqa: N806
    partition = Topic.PartitionProduceData(index=0, records=b"x")
    request = ProduceRequest(
        version=VERSION,
        transactional_id=None,
        acks=-1,
        timeout_ms=1,
        topic_data=[Topic(name=topic, partition_data=[partition])],
    )
    request.with_header(number)
    return bytes(request.encode(framed=True, header=True))


def test_a_refused_topic_is_answered_as_by_a_broken_disk_and_in_turn(proxy: Proxy, broker: Broker) -> None:
    """The broker never sees the write; what is asked before and after it, and other topics, get their answers."""
    proxy.refuse(".dead-letters")
    with call(proxy) as end:
        end.sendall(plain(1) + write(2, "reporting-1.dead-letters") + write(3, "sessions.events"))
        answers = [frame(end) for _ in range(3)]
    assert [int.from_bytes(answer[:4], "big") for answer in answers] == [1, 2, 3]
    refusal = ProduceResponse.decode(answers[1], version=VERSION, header=True).responses[0]
    assert (refusal.name, refusal.partition_responses[0].error_code) == ("reporting-1.dead-letters", STORAGE_ERROR)
    assert (answers[0][4:], answers[2][4:]) == (b"done", b"done")
    assert broker.asked == {1: 18, 2: 18, 3: 0}
    assert proxy.refused == {"reporting-1.dead-letters"}


def test_what_is_refused_no_longer_gets_through(proxy: Proxy, broker: Broker) -> None:
    """The same connection can write when the disk is well again."""
    proxy.refuse(".dead-letters")
    with call(proxy) as end:
        end.sendall(write(1, "x.dead-letters"))
        frame(end)
        proxy.refuse("")
        end.sendall(write(2, "x.dead-letters"))
        assert frame(end)[4:] == b"done"
    assert broker.asked == {1: 18, 2: 0}


@pytest.mark.parametrize("proxy", [False], indirect=True)
def test_a_lost_answer_is_one_to_a_request_that_arrived(proxy: Proxy, broker: Broker) -> None:
    """The request is done, the connection breaks, and the next try is answered."""
    proxy.lose_answers(True)
    with call(proxy) as end:
        end.sendall(plain(1))
        with pytest.raises((EOFError, ConnectionError)):
            frame(end)
    assert eventually(lambda: broker.asked) == {1: 18}
    assert proxy.lost == 1
    proxy.lose_answers(False)
    with call(proxy) as end:
        end.sendall(plain(2))
        assert frame(end)[4:] == b"done"
