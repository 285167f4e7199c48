"""What the image, the containers and the gateway promise to whoever reviews them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.mongod import NEVER_SLOW_MS

ROOT = Path(__file__).parents[3]
GATEWAY = (ROOT / "infra/deploy/gateway/nginx.conf").read_text()
IMAGE = (ROOT / "infra/deploy/Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def setting(name: str) -> str:
    """The first value of a directive of the gateway."""
    found = re.search(rf"^\s*{name} (.+);$", GATEWAY, re.MULTILINE)
    assert found, f"{name} is not set"
    return found[1]


@pytest.mark.parametrize(
    ("name", "most"),
    [("client_header_timeout", 10), ("client_body_timeout", 20), ("send_timeout", 30), ("keepalive_timeout", 30)],
)
def test_slow_clients_are_cut_off_at_the_gateway(name: str, most: int) -> None:
    """The server behind it has no time limit for bodies: the gateway takes them in whole before they go on."""
    assert int(setting(name).removesuffix("s")) <= most
    assert "proxy_request_buffering off" not in GATEWAY


def test_the_gateway_bounds_bodies_headers_and_connections() -> None:
    """As the services: 1 MiB, more for queues of phones and for imports, of which few come at a time."""
    assert setting("client_max_body_size") == "1m"
    assert re.findall(r"client_max_body_size (\S+);", GATEWAY) == ["1m", "11m", "8m"]
    assert "limit_conn tables 4;" in GATEWAY
    assert setting("large_client_header_buffers") == "4 8k"
    assert setting("limit_conn").startswith("callers ")


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_what_lies_in_memory_can_not_end_a_container(name: str) -> None:
    """A file system in memory counts against the container's: full, it must leave half of that."""
    service = COMPOSE["services"][name]
    sizes = [int(size) for size in re.findall(r"size=(\d+)m", " ".join(service.get("tmpfs", ())))]
    most, unit = re.findall(r"(\d+)([mg])", str(service["mem_limit"]))[-1]
    assert 2 * sum(sizes) <= int(most) * (1024 if unit == "g" else 1)


@pytest.mark.parametrize(
    ("status", "path", "told"),
    [
        ("200", "/sessions/v1/sessions/0f8fad5b-d9cb-469f-a165-70867728950e", None),
        ("404", "/enrollment/v1/employees/Budi", "(none)"),
        ("403", "/enrollment/v1/x/198609262010012003", "(a NIP)"),
        ("401", "/enrollment/v1/x/19860926 201001 2 003", "(a NIP)"),
    ],
)
def test_the_gateways_log_tells_no_path_that_may_name_somebody(status: str, path: str, told: str | None) -> None:
    """As nginx reads its map: the first pattern that is found."""
    block = re.search(r"map \"\$status \$uri\" \$path \{(.*?)\n  \}", GATEWAY, re.DOTALL)
    assert block and '"path":"$path"' in GATEWAY
    patterns = re.findall(r'"~(.+)" "(.+)";', block[1])
    found = (says for pattern, says in patterns if re.search(pattern, f"{status} {path}"))
    assert next(found, None) == told


@pytest.mark.parametrize(
    "header",
    ["X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "X-Frame-Options"],
)
def test_answers_of_the_gateway_have_the_same_headers(header: str) -> None:
    """Its own refusals, too."""
    assert re.search(rf"add_header {header} \S+ always;", GATEWAY)


def test_the_gateway_asks_browsers_for_tls_where_there_is_tls_and_hides_its_version() -> None:
    """HSTS counts only when it came by TLS, so it is said only there."""
    assert "add_header Strict-Transport-Security $strict_transport always;" in GATEWAY
    assert 'https "max-age=31536000";' in GATEWAY
    assert setting("server_tokens") == "off"


def test_the_image_runs_as_nobody_and_holds_no_tool_to_build_with() -> None:
    """The last stage copies what the first one made; nothing is installed in it, and no secret is in either."""
    final = IMAGE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE)
    assert not re.search(r"\b(pip|apt-get|apk|curl|wget|gcc)\b", final)
    assert "--without-pip" in IMAGE and "--require-hashes" in IMAGE
    assert not re.search(r"secret|password|token", IMAGE, re.IGNORECASE)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_every_container_has_lost_what_it_does_not_need() -> None:
    """Capabilities, new privileges, a file system to write to, room without end; Kafka's image alone writes."""
    for name, container in COMPOSE["services"].items():
        assert container["cap_drop"] == ["ALL"], name
        assert container["security_opt"] == ["no-new-privileges:true"], name
        assert container["mem_limit"] and container["pids_limit"], name
        assert container.get("read_only", False) is (name != "kafka"), name
        assert "privileged" not in container, name


def test_no_secret_stands_in_the_file_and_only_two_ports_are_open() -> None:
    """Secrets are files of the operator's; databases and topics are in a network without a way in or out."""
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    assert {name for name, container in COMPOSE["services"].items() if "ports" in container} == {"gateway", "mail"}
    assert COMPOSE["services"]["mail"]["ports"][0].startswith("127.0.0.1:")
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_the_database_writes_no_statement_into_its_log() -> None:
    """A slow one would be there with the NIPs and names that it asks for."""
    a_day_in_ms = "86400000"
    assert f"--slowms {a_day_in_ms}" in (ROOT / "infra/deploy/mongodb/start").read_text()
    assert a_day_in_ms == NEVER_SLOW_MS
