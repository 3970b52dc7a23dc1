"""Ports on loopback."""

import socket
from collections.abc import Iterable
from contextlib import ExitStack

import psutil

from hoplab.errors import HoplabError

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]


def require_free(ports: dict[str, int]) -> None:
    """Raise HoplabError naming every port that is taken, by whom, and the variable to change it.

    `ports` maps the environment variable to the port.
    """
    taken = {name: port for name, port in ports.items() if not _is_free(port)}
    if not taken:
        return
    holders = _holders(taken.values())
    lines = [f"{port} is taken{holders.get(port, '')}: {name}" for name, port in taken.items()]
    name, port = next(iter(taken.items()))
    raise HoplabError(
        "Can't listen on 127.0.0.1:\n  "
        + "\n  ".join(lines)
        + f"\nStop what has it, or choose another port, for example {name}={port + 10000} make …"
    )


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _holders(ports: Iterable[int]) -> dict[int, str]:
    wanted = set(ports)
    found = {}
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if address and address.port in wanted and connection.status == psutil.CONN_LISTEN:
                if connection.pid:
                    name = psutil.Process(connection.pid).name()
                    found[address.port] = f" by {name} (process {connection.pid})"
    except psutil.Error:  # other people's processes may be none of our business
        return found
    return found
