"""Ports of this machine: free ones for what nobody addresses by hand, fixed ones for what people paste."""

import os
import socket
from pathlib import Path
from random import SystemRandom

LOOPBACK = "127.0.0.1"

SHARE = "BINA_FREE_PORTS"
"""`1/3` in the environment: of each three ports this process and its children give the second alone. Processes
that look for ports at the same time would now and then give the same one, before either has a server there."""

_CHOICE = range(20_000, 32_000)
_SYSTEMS_OWN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 2_000
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody uses at this moment, and that this process has not given before."""
    choice = _choice()
    while True:
        port = SystemRandom().choice(choice)
        if port not in _given and is_free(port):
            return keep(port)


def keep(port: int) -> int:
    """`port`, which somebody has asked for: `free_port` gives it to nobody before its server is there."""
    _given.add(port)
    return port


def _choice() -> range:
    """Those below what systems give to connections: Linux from 32768, macOS from 49152 on, or as it is set.

    Such a connection may take the port between its choice and the server's start, or while the server is started
    again, and keep it.
    """
    number, _, shares = os.environ.get(SHARE, "0/1").partition("/")
    end = min(_CHOICE.stop, _first_of_connections())
    # Where connections may have all of them, there is no better choice than the usual one.
    first, end = (max(_LOWEST, end - len(_CHOICE)), end) if end > 2 * _LOWEST else (_CHOICE.start, _CHOICE.stop)
    return range(first + int(number), end, int(shares))


def _first_of_connections() -> int:
    try:
        return int(_SYSTEMS_OWN.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _CHOICE.stop


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
    return keep(port) if is_free(port) else free_port()
