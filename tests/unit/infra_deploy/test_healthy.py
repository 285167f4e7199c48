"""The health check of a container believes nothing but a 200 of `/readyz`."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra.deploy.healthy import ready
from infra.local.ports import free_port


@pytest.fixture(params=[200, 503])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Port and status of a service that answers every request alike."""
    status: int = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, status
    server.shutdown()
    server.server_close()


def test_ready_is_what_the_service_says(server: tuple[int, int]) -> None:
    """200 is ready; 503 is alive, but not ready."""
    port, status = server
    assert ready(port) is (status == 200)


def test_where_nothing_listens_the_check_fails() -> None:
    """By an error, which the engine shows as the reason."""
    with pytest.raises(ConnectionRefusedError):
        ready(free_port())
