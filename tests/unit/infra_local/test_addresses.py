"""Ports are chosen before anything starts, and a taken one is named together with what changes it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import ports
from infra.local.addresses import Ports
from infra.local.errors import CannotStart
from infra.local.ports import LOOPBACK, SHARE, free_port, is_free
from infra.settings import PORTS


def environment(**changes: str) -> dict[str, str]:
    """Free ports for everything that would otherwise get its default, which may be in use on this machine."""
    apis = {f"BINA_{service.upper()}_PORT": str(free_port()) for service in PORTS}
    return apis | changes


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_listening_port_is_not_free(taken: int) -> None:
    assert not is_free(taken)
    assert is_free(free_port())


@pytest.mark.parametrize("first", [60_000, 32_768, 16_000, 5_000])
def test_no_connection_can_take_a_free_port_before_its_server(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is given once, and none is of those that the system gives to connections, wherever these begin."""
    monkeypatch.setattr(ports, "_SYSTEMS_OWN", tmp_path / "range")
    # With many processes a share may hold fewer.
    monkeypatch.setenv(ports.SHARE, "0/1")
    (tmp_path / "range").write_text(f"{first}\t{first + 5_000}\n")
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100
    assert max(given) < min(32_000, first)


@pytest.mark.parametrize("told", [None, "", "1024\t65535\n"])
def test_where_connections_may_have_every_port_some_are_found_nevertheless(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where nothing is told of them."""
    monkeypatch.setattr(ports, "_SYSTEMS_OWN", tmp_path / "range")
    if told is not None:
        (tmp_path / "range").write_text(told)
    assert 20_000 <= free_port() < 32_000


def test_processes_that_share_the_ports_never_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """One may find a port free that another has given, and whose server starts a moment later."""
    given = []
    for number in range(3):
        monkeypatch.setenv(SHARE, f"{number}/3")
        given.append({free_port() % 3 for _ in range(50)})
    assert [len(each) for each in given] == [1, 1, 1]
    assert len(set.union(*given)) == 3


def test_services_get_the_ports_of_the_environment() -> None:
    env = environment()
    ports = Ports.choose(env)
    assert {f"BINA_{name.upper()}_PORT": str(port) for name, port in ports.api.items()} == env
    assert ports.url("sessions") == f"http://127.0.0.1:{env['BINA_SESSIONS_PORT']}"


def test_what_was_asked_for_is_not_given_to_what_starts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoDB and the broker look for ports while nothing listens yet where the services shall."""
    names = ("BINA_SESSIONS_WORKER_PORT", "BINA_MAIL_PORT", "BINA_MAIL_SMTP_PORT")
    env = environment(**{name: str(free_port()) for name in names})
    others = {free_port() for _ in range(9)}
    # As in a process of its own, that has given none of them.
    monkeypatch.setattr(ports, "_given", set())
    chosen = Ports.choose(env)
    asked = {*chosen.api.values(), *chosen.worker.values(), chosen.smtp, chosen.mail}
    left = others - asked
    monkeypatch.setattr(ports, "_choice", lambda: [*asked, *left])
    assert {free_port() for _ in left} == left


def test_a_taken_port_is_named_with_the_variable_that_changes_it(taken: int) -> None:
    with pytest.raises(CannotStart, match=rf"port {taken} is taken: set BINA_REPORTING_PORT"):
        Ports.choose(environment(BINA_REPORTING_PORT=str(taken)))


def test_a_worker_moves_out_of_the_way() -> None:
    api = next(port for port in iter(free_port, None) if is_free(port + 1000))
    with socket.socket() as server:
        server.bind((LOOPBACK, api + 1000))
        server.listen()
        ports = Ports.choose(environment(BINA_SESSIONS_PORT=str(api)))
    assert ports.worker["sessions"] != api + 1000


@pytest.mark.parametrize("value", ["eighty", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(CannotStart, match=f"BINA_SESSIONS_PORT={value} is not a port"):
        Ports.choose(environment(BINA_SESSIONS_PORT=value))


def test_the_services_are_told_all_ports() -> None:
    env = Ports.choose(environment()).environment()
    assert set(env) == {f"BINA_{name.upper()}{kind}_PORT" for name in PORTS for kind in ("", "_WORKER")}
