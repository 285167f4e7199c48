"""What `make compose-demo` looks at would be seen if it were not so."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.rehearsal import NotSo
from infra.deploy.rehearsal.containers import Seen, secrets_of
from infra.deploy.rehearsal.figures import Figures, agree
from infra.deploy.rehearsal.gateway import believes_nobody, believes_the_balancer, dripped, too_large, unknown
from infra.deploy.rehearsal.users import DATABASES, expected, held

SECRET = "5f0c6a4b8f7e4c0a9d1b"
BARE = "0000000000000000"
GOOD = {"Uid": "10001\t10001\t10001\t10001", "NoNewPrivs": "1"} | dict.fromkeys(
    ("CapPrm", "CapEff", "CapBnd", "CapAmb"), BARE
)


def seen(service: str = "gateway", root: str = "ro,relatime", env: str = "HOME=/tmp", **status: str) -> Seen:
    """A container as the kernel and Docker tell of it."""
    lines = [f"{name}:\t{value}" for name, value in {**GOOD, **status}.items()]
    told = {"Config": {"Labels": {"com.docker.compose.service": service}, "Env": [env]}}
    return Seen(told, "\n".join([*lines, f"overlay / overlay {root} 0 0"]))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Uid": "0\t0\t0\t0"}, "runs as root"),
        ({"Uid": "10001\t0\t0\t0"}, "runs as root"),
        ({"CapEff": "0000000000000400"}, "has capabilities"),
        ({"CapBnd": "00000000a80425fb"}, "has capabilities"),
        ({"NoNewPrivs": "0"}, "may gain privileges"),
        ({"root": "rw,relatime,lowerdir=/ro"}, "can write to its root"),
        ({"env": f"URL=mongodb://a:{SECRET}@b"}, "has a secret in what docker inspect tells"),
    ],
)
def test_each_thing_that_a_container_should_not_have_is_seen(change: dict[str, str], fault: str) -> None:
    """It is told with the container's name, and the secret itself is not repeated."""
    assert seen().faults([SECRET]) == []
    assert seen(**change).faults([SECRET]) == [f"gateway {fault}"]


def test_kafka_alone_may_write_to_its_root() -> None:
    """Its image can't do otherwise; all else holds for it, too."""
    assert seen("kafka", root="rw").faults([]) == []
    assert seen("kafka", root="rw", NoNewPrivs="0").faults([]) == ["kafka may gain privileges"]


def test_of_the_secrets_all_is_looked_for_that_opens_something(tmp_path: Path) -> None:
    """Passwords without the addresses around them, and each line of a key; public keys and plain addresses not."""
    (tmp_path / "mongodb-uri-sessions").write_text(f"mongodb://sessions:{SECRET}@mongodb:27017/?replicaSet=bina\n")
    (tmp_path / "mongodb-keyfile").write_text("a" * 64 + "\n" + "b" * 64 + "\n")
    (tmp_path / "smtp-url").write_text("smtp://mail:1025\n")
    (tmp_path / "jwks.json").write_text('{"keys": [{"x": "public, and as long as it likes"}]}')
    assert sorted(secrets_of(tmp_path)) == [SECRET, "a" * 64, "b" * 64]


USERS = ("enrollment", "sessions", "notifications", "reporting", "backup", "restore")


def test_users_who_reach_what_they_need_and_nothing_else_are_as_they_should_be() -> None:
    """Four services read and write their own of five databases; who saves reads four, who restores writes them."""
    told = {user: expected(user) for user in USERS}
    refused_services, refused_others = 4 * (5 - 1) * 2, (4 + 2) + 2
    assert f"; {refused_services + refused_others} tries" in held(told)


@pytest.mark.parametrize(
    ("user", "database", "codes"),
    [
        ("sessions", "bina_reporting", [0, 13]),
        ("sessions", "bina_sessions", [13, 13]),
        ("sessions", "admin", [0, 13]),
        ("backup", "bina_sessions", [0, 0]),
        ("restore", "admin", [13, 0]),
        ("restore", "bina_sessions", [0, 18]),
    ],
)
def test_a_right_too_many_or_too_few_is_seen(user: str, database: str, codes: list[int]) -> None:
    """Also when it is refused for another reason: a wrong password proves nothing."""
    told = {each: dict(expected(each)) for each in USERS}
    assert set(told[user]) == {*DATABASES, "admin"}
    told[user][database] = codes
    with pytest.raises(NotSo, match=f"^{user} in {database}: "):
        held(told)


@contextmanager
def listener(patience: float) -> Iterator[str]:
    """The address of what takes a connection and ends it after so many seconds."""
    server = socket.create_server(("127.0.0.1", 0))
    end = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        end.wait(patience)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    end.set()
    thread.join()
    server.close()


def test_a_header_that_drips_for_ever_is_seen() -> None:
    """The gateway's own answer to it may be an end of the connection or a refusal."""
    with listener(0.1) as strict:
        assert "cut off" in dripped(strict, seconds=10)
    with listener(60) as patient, pytest.raises(NotSo, match="could drip"):
        dripped(patient, seconds=0.2, margin=0.2)


class Plain(BaseHTTPRequestHandler):
    """A gateway that refuses in words of its own."""

    body, kind = b"<h1>Not here</h1>", "text/html"
    extra = ""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Type", self.kind)
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.extra:
            self.send_header("Strict-Transport-Security", self.extra)
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Problems(Plain):
    """One that answers as ours."""

    body, kind = json.dumps({"rule": "unknown"}).encode(), "application/problem+json"


@contextmanager
def gateway(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Its address."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_refusal_that_is_no_problem_or_another_one_is_seen() -> None:
    """By its status, its type and its rule."""
    with gateway(Problems) as address:
        assert "404" in unknown(address)
        with pytest.raises(NotSo, match="404"):
            too_large(address)
    with gateway(Plain) as address, pytest.raises(NotSo, match="text/html"):
        unknown(address)


class Believer(Problems):
    """One that believes whoever says to have come by TLS."""

    extra = "max-age=31536000"


def test_a_gateway_that_believes_anybody_or_not_even_the_balancer_is_seen() -> None:
    """HSTS is said only where the caller came by TLS, so it tells whether the word was taken."""
    with gateway(Problems) as address:
        assert "nobody is believed" in believes_nobody(address)
        with pytest.raises(NotSo, match="the balancer that is named is not believed"):
            believes_the_balancer(address)
    with gateway(Believer) as address:
        with pytest.raises(NotSo, match="anybody is believed"):
            believes_nobody(address)
        with pytest.raises(NotSo, match="/metrics is 404"):
            believes_the_balancer(address)


def test_figures_that_come_back_others_are_seen(tmp_path: Path) -> None:
    """The first look keeps them; later ones wait until they are the same, and say which is not."""
    file = tmp_path / "figures"
    before: Figures = {"36.71 2016 sessions": [3, 3, None], "36.71 2016 reach": ["0.50", 1, 2]}
    assert "2 are kept" in agree(file, lambda: before)
    looks: list[Any] = [{}, {**before, "36.71 2016 sessions": [2, 2, None]}, before]
    assert "all 2" in agree(file, lambda: looks.pop(0))
    with pytest.raises(NotSo, match=r"1 of 2 .*36.71 2016 reach"):
        agree(file, lambda: {**before, "36.71 2016 reach": ["0.49", 1, 2]}, patience=0)
