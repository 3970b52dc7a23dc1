"""Taps: each stands in front of a port, passes every byte on at once, and remembers it."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import open_socket

_PIECE = 2**16
_KEPT = 2**18  # bytes of a direction: heads are smaller, bodies may be larger


class Heads(NamedTuple):
    """The first request that came by, and its answer: their heads, line by line.

    No answer if none came.
    """

    request: list[str]
    answer: list[str]


class _Relay(socketserver.BaseRequestHandler):
    server: "_Tap"

    def handle(self) -> None:
        # From the peer's own address: by that the receiver knows whom it trusts. It is of IPv4.
        host, port = self.server.host, self.server.port
        source = None if ":" in host else (str(self.client_address[0]), 0)
        with suppress(OSError), open_socket((host, port), source, None) as onward:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sent = self.server.remember()
            back = threading.Thread(
                target=_copy, args=(onward, self.request, sent[1], self.server), daemon=True
            )
            back.start()
            _copy(self.request, onward, sent[0], self.server)
            back.join()


class _Tap(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        super().__init__((LOOPBACK, 0), _Relay)
        self.host = host
        self.port = port
        self.lock = threading.Lock()
        self.connections: list[tuple[bytearray, bytearray]] = []

    def remember(self) -> tuple[bytearray, bytearray]:
        with self.lock:
            self.connections.append((bytearray(), bytearray()))
            return self.connections[-1]

    def forget(self) -> None:
        with self.lock:
            for there, back in self.connections:
                there.clear()
                back.clear()

    def heads(self) -> Heads | None:
        with self.lock:
            asked = [connection for connection in self.connections if connection[0]]
        return Heads(_head(asked[0][0]), _head(asked[0][1])) if asked else None


class Taps:
    """Those of one deployment, in the order in which a request passes them."""

    def __init__(self) -> None:
        self._taps: list[_Tap] = []

    def before(self, host: str, port: int) -> int:
        """Put one in front of a port, or of a Unix socket whose file is `host`; gives its own."""
        tap = _Tap(host, port)
        self._taps.append(tap)
        threading.Thread(target=tap.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return int(tap.server_address[1])

    def forget(self) -> None:
        """What came by until now was not asked by a person: the engine waits for answers."""
        for tap in self._taps:
            tap.forget()

    def heads(self) -> list[Heads]:
        """What came by since then, of each tap that a request reached."""
        return [heads for tap in self._taps if (heads := tap.heads())]

    def close(self) -> None:
        """Stop listening."""
        for tap in self._taps:
            tap.shutdown()
            tap.server_close()


@contextmanager
def taps() -> Iterator[Taps]:
    """Some that are closed afterwards."""
    made = Taps()
    try:
        yield made
    finally:
        made.close()


def _copy(source: socket.socket, target: socket.socket, kept: bytearray, tap: _Tap) -> None:
    """Until the source has ended; then the target is told so."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            with tap.lock:
                kept += piece[: _KEPT - len(kept)]
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _head(data: bytearray) -> list[str]:
    """The first head that is no interim answer (RFC 9110, 15.2), but for a change of protocol."""
    for block in bytes(data).split(b"\r\n\r\n"):
        lines = block.decode("latin-1").split("\r\n")
        status = lines[0].split(" ")[1:2]
        if not (lines[0].startswith("HTTP/") and status and status[0][:1] == "1") or (
            status == ["101"]
        ):
            return lines if block else []
    return []
