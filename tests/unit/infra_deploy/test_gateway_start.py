"""Whose word the gateway takes on who called: what BINA_BALANCER says, written for nginx."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIGURATION = (ROOT / "infra/deploy/gateway/nginx.conf").read_text()


def start(directory: Path, balancer: str | None = None) -> subprocess.CompletedProcess[str]:
    """The entry point, with `echo` in place of nginx."""
    env = {"PATH": "/usr/bin:/bin", **({} if balancer is None else {"BALANCER": balancer})}
    command = ["sh", str(ROOT / "infra/deploy/gateway/start"), str(directory), "echo", "started"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def written(directory: Path) -> tuple[str, str]:
    """Who may name the caller, and who may say that it came by TLS."""
    return (directory / "balancer.conf").read_text(), (directory / "balancer.geo").read_text()


@pytest.mark.parametrize("nobody", [None, "", " "])
def test_unless_it_is_set_nobody_is_believed(tmp_path: Path, nobody: str | None) -> None:
    """Also after a start at which somebody was: the directory may be the same."""
    start(tmp_path, "10.1.2.3")
    assert start(tmp_path, nobody).stdout == "started\n"
    assert written(tmp_path) == ("", "")


def test_every_address_and_network_is_believed_in_both(tmp_path: Path) -> None:
    """What says who called also says whether by TLS."""
    assert start(tmp_path, "10.1.2.3 192.168.4.0/24  2001:db8::/32").returncode == 0
    assert written(tmp_path) == (
        "set_real_ip_from 10.1.2.3;\nset_real_ip_from 192.168.4.0/24;\nset_real_ip_from 2001:db8::/32;\n",
        "10.1.2.3 1;\n192.168.4.0/24 1;\n2001:db8::/32 1;\n",
    )


@pytest.mark.parametrize("faulty", ["balancer.example.go.id", "10.1.2.3,10.1.2.4", "10.1.2.3;", "unix:"])
def test_what_is_no_address_ends_it_with_a_reason(tmp_path: Path, faulty: str) -> None:
    """Before nginx starts: a name could come to mean another host."""
    done = start(tmp_path, faulty)
    assert (done.returncode, done.stdout) == (1, "")
    assert faulty in done.stderr


def test_the_configuration_believes_nobody_by_itself() -> None:
    """All that it takes from callers' headers on themselves goes by what the entry point has written."""
    assert "set_real_ip_from" not in CONFIGURATION
    assert "include /tmp/balancer.conf;" in CONFIGURATION and "include /tmp/balancer.geo;" in CONFIGURATION
    assert 'map "$by_balancer $http_x_forwarded_proto" $client_scheme {' in CONFIGURATION
    assert CONFIGURATION.count("$http_x_forwarded") == 2
