"""Ports of this machine: free ones for what nobody addresses by hand, fixed ones for what people paste."""

import socket
from random import SystemRandom

LOOPBACK = "127.0.0.1"

# Below those that systems give to connections (Linux from 32768, macOS from 49152 on): such a connection may take
# the port between its choice and the server's start, or while the server is started again, and keep it.
_CHOICE = range(20_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody uses at this moment, and that this process has not given before."""
    while True:
        port = SystemRandom().choice(_CHOICE)
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are only winding down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def preferred_port(port: int) -> int:
    """`port` when it is free, else any free one."""
    return port if is_free(port) else free_port()
