"""Taps: each stands in front of a port, passes every byte on at once, and remembers heads.

A request can carry a marker, by which it is found among others that come by at the same time. The
last tap removes it: the application is asked what it would be asked without.
"""

import re
import secrets
import socket
import socketserver
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import open_socket

MARKER = "X-Hoplab-Trace"

_PIECE = 2**16
_KEPT = 2**18  # bytes of a direction: heads are smaller
_REMEMBERED = 256  # exchanges of a tap: more than are asked at a time
_END = b"\r\n\r\n"
_MARKER_LINE = re.compile(rb"\r\n" + MARKER.encode() + rb":[^\r\n]*", re.IGNORECASE)


class Heads(NamedTuple):
    """A request that came by, and its answer: their heads, line by line.

    No answer if none came.
    """

    request: list[str]
    answer: list[str]


@dataclass
class _Exchange:
    """A request and its answer, until the end of their heads."""

    there: bytearray = field(default_factory=bytearray)
    back: bytearray = field(default_factory=bytearray)
    answered: bool = False

    def heads(self) -> Heads:
        return Heads(_head(_MARKER_LINE.sub(b"", self.there)), _head(self.back))


class _Connection:
    """What comes by on one connection: exchanges, one after the other.

    Nobody in front of an application sends the next request before the answer to the last one.
    """

    def __init__(self, tap: "_Tap") -> None:
        self._tap = tap
        self._now: _Exchange | None = None
        self._forgotten = -1
        self._upgraded = False

    def sent(self, piece: bytes) -> None:
        with self._tap.lock:
            if self._upgraded:
                return
            if self._now is None or self._now.answered or self._forgotten != self._tap.forgotten:
                self._now = _Exchange()
                self._forgotten = self._tap.forgotten
                self._tap.exchanges.append(self._now)
            if _END not in self._now.there:
                self._now.there += piece[: _KEPT - len(self._now.there)]

    def received(self, piece: bytes) -> None:
        with self._tap.lock:
            now = self._now
            if now is None or now.answered:
                return
            now.back += piece[: _KEPT - len(now.back)]
            if (head := _head(now.back)) and "\r\n".join(head).encode("latin-1") + _END in now.back:
                now.answered = True
                self._upgraded = head[0].split(" ")[1:2] == ["101"]


class _Relay(socketserver.BaseRequestHandler):
    server: "_Tap"

    def handle(self) -> None:
        # From the peer's own address: by that the receiver knows whom it trusts. It is of IPv4.
        host, port = self.server.host, self.server.port
        source = None if ":" in host else (str(self.client_address[0]), 0)
        with suppress(OSError), open_socket((host, port), source, None) as onward:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(self.server)
            back = threading.Thread(
                target=_answers, args=(onward, self.request, connection), daemon=True
            )
            back.start()
            _requests(self.request, onward, connection, self.server)
            back.join()


class _Tap(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        super().__init__((LOOPBACK, 0), _Relay)
        self.host = host
        self.port = port
        self.last = True
        self.lock = threading.Lock()
        self.forgotten = 0
        self.exchanges: deque[_Exchange] = deque(maxlen=_REMEMBERED)

    def forget(self) -> None:
        with self.lock:
            self.forgotten += 1
            self.exchanges.clear()

    def heads(self, marker: str) -> Heads | None:
        with self.lock:
            asked = [each for each in self.exchanges if marker.encode() in each.there]
            return asked[0].heads() if asked else None


class Taps:
    """Those of one deployment, in the order in which a request passes them."""

    def __init__(self) -> None:
        self._taps: list[_Tap] = []

    def before(self, host: str, port: int) -> int:
        """Put one in front of a port, or of a Unix socket whose file is `host`; gives its own."""
        tap = _Tap(host, port)
        for earlier in self._taps:
            earlier.last = False
        self._taps.append(tap)
        threading.Thread(
            target=tap.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return int(tap.server_address[1])

    def forget(self) -> None:
        """What came by until now was not asked by a person: the engine waits for answers."""
        for tap in self._taps:
            tap.forget()

    def heads(self, marker: str = "") -> list[Heads]:
        """What came by first since then, of each tap that it reached; with a marker, that one's."""
        return [heads for tap in self._taps if (heads := tap.heads(marker))]

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


def marker() -> str:
    """A value of the header MARKER that no other request has."""
    return secrets.token_hex(16)


def _requests(
    source: socket.socket, target: socket.socket, connection: _Connection, tap: _Tap
) -> None:
    """Until the source has ended; then the target is told so."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            connection.sent(piece)
            target.sendall(_MARKER_LINE.sub(b"", piece) if tap.last else piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _answers(source: socket.socket, target: socket.socket, connection: _Connection) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            connection.received(piece)
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _head(data: bytes | bytearray) -> list[str]:
    """The first head that is no interim answer (RFC 9110, 15.2), but for a change of protocol."""
    for block in bytes(data).split(b"\r\n\r\n"):
        lines = block.decode("latin-1").split("\r\n")
        status = lines[0].split(" ")[1:2]
        if not (lines[0].startswith("HTTP/") and status and status[0][:1] == "1") or (
            status == ["101"]
        ):
            return lines if block else []
    return []
