"""The health check of a container: asks the service in it whether it is ready. Argument: its port.

Runs every few seconds in every container, so it imports as little as possible.
"""

import socket
import sys

TIMEOUT_SECONDS = 4.0
REQUEST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def ready(port: int) -> bool:
    """Whether `/readyz` says so. Raises OSError when nothing listens."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        connection.sendall(REQUEST)
        return connection.recv(64).split(b" ")[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(0 if ready(int(sys.argv[1])) else 1)
