"""Ports on loopback: free ones, and those that have to be free."""

import random
import socket
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psutil

from hoplab.errors import HoplabError

LOOPBACK = "127.0.0.1"

# Below what Linux gives to outgoing connections (ip_local_port_range); above most well-known ones.
_UNREGISTERED = range(12000, 32768) if sys.platform == "linux" else range(0)
_BLOCK = 512
_claimed: set[int] = set()
"""The first ports of the blocks that this process holds."""


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different.

    They are none that the system gives to outgoing connections, where it says which those are:
    before a server listens, a client could otherwise be given its port. For the same reason they
    are from blocks that no other lab on this machine draws from.
    """
    candidates = _candidates()
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            try:
                sock = socket.create_server((LOOPBACK, next(candidates, 0)))
            except OSError:
                continue
            stack.enter_context(sock)
            found.append(sock.getsockname()[1])
        return found


def _candidates() -> Iterator[int]:
    """In no order, and those of blocks that are ours already before others."""
    blocks = [start for start in _UNREGISTERED[::_BLOCK] if start not in _claimed]
    random.shuffle(blocks)
    for start in [*_claimed, *blocks]:
        if _claim(start):
            ports = list(range(start, min(start + _BLOCK, _UNREGISTERED.stop)))
            random.shuffle(ports)
            yield from ports


def _claim(start: int) -> bool:
    """Hold a block until this process ends, unless another does."""
    if start in _claimed:
        return True
    # An abstract name (unix(7)) is no file, ends with us, and is as local as ports are.
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0hoplab-ports-{start}")
        except OSError:
            return False
        claim.detach()
    _claimed.add(start)
    return True


def require_free(wanted: Mapping[str, int]) -> None:
    """Raise HoplabError naming every port that is taken, by whom, and how to choose another.

    `wanted` has the ports by the names of the variables that set them.
    """
    for name, port in wanted.items():
        if same := [other for other, given in wanted.items() if given == port and other != name]:
            message = f"{name} and {same[0]} are both {port}: each needs a port of its own."
            raise HoplabError(message)
    held = taken(wanted.values())
    names = {name: port for name, port in wanted.items() if port in held}
    if not names:
        return
    lines = [f"  {port} ({name}){held[port]}" for name, port in names.items()]
    name, port = next(iter(names.items()))
    raise HoplabError(
        "These ports on 127.0.0.1 are taken:\n"
        + "\n".join(lines)
        + f"\nStop what has them, or choose others: {name}={10000 + port % 50000} hoplab …"
    )


@contextmanager
def listening(port: int, variable: str) -> Iterator[socket.socket]:
    """A socket that listens there; on any free port if that is 0.

    Raises HoplabError if the port is taken: by whom, and which variable chooses another.
    """
    try:
        sock = socket.create_server((LOOPBACK, port))
    except OSError:
        require_free({variable: port})
        raise
    with sock:
        yield sock


def taken(ports: Collection[int]) -> dict[int, str]:
    """Those of the ports that are taken, and by whom: ` by NAME, process NUMBER`, if known."""
    found = [port for port in ports if not _is_free(port)]
    holders = _holders(found) if found else {}
    return {port: holders.get(port, "") for port in found}


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _holders(ports: Collection[int]) -> dict[int, str]:
    """Who listens there, as far as this user may know."""
    found = {}
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.pid:
                continue
            port = connection.laddr[1] if connection.laddr else 0
            if port in ports:
                name = psutil.Process(connection.pid).name()
                found[port] = f" by {name}, process {connection.pid}"
    except psutil.Error:  # other people's processes are none of our business
        return found
    return found
