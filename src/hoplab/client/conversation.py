"""A WebSocket: the library's protocol without its input and output.

websockets.sync has two threads on one connection, which hang over TLS now and then; an event loop
for each connection takes longer than all the rest.
"""

import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

Message: TypeAlias = str | bytes

_READ = 2**16  # bytes at a time


class Conversation:
    """A WebSocket over a connected socket. After `seconds` without an answer, TimeoutError.

    status, headers, body: the answer to the handshake. Status 0 if it was no HTTP response: then
    `body` says what came, and is empty if the connection ended. sent: the request's headers.
    """

    def __init__(
        self,
        sock: socket.socket,
        url: str,
        seconds: float,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
    ) -> None:
        self.status = 0
        self.headers: Sequence[tuple[str, str]] = ()
        self.body = b""
        self._sock = sock
        self._seconds = seconds
        self._messages: deque[Message] = deque()
        self._pieces: list[bytes] = []
        self._text = False
        self._pongs: list[bytes] = []
        self._ended = False
        offered = [Subprotocol(name) for name in subprotocols] or None
        self._protocol = ClientProtocol(parse_uri(url), subprotocols=offered, max_size=None)
        request = self._protocol.connect()
        for name, value in headers:
            request.headers[name] = value
        self.sent = list(request.headers.raw_items())
        self._protocol.send_request(request)
        self._read_until(lambda: self._protocol.state is not State.CONNECTING)

    @property
    def accepted(self) -> bool:
        """Whether it opened."""
        return self.status == 101  # noqa: PLR2004

    @property
    def subprotocol(self) -> str | None:
        """What both agreed on."""
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int | None:
        """The code with which the other side closed it; None if it has not, or without a word."""
        closed = self._protocol.close_rcvd
        return closed.code if closed else None

    @property
    def ending(self) -> str:
        """How the other side closed it, in words."""
        return str(self._protocol.close_rcvd or "without a word")

    def send(self, message: Message) -> None:
        """Send one message, as text or as bytes."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._flush()

    def receive(self) -> Message | None:
        """The next message; None if it was closed before one came."""
        self._read_until(lambda: bool(self._messages))
        return self._messages.popleft() if self._messages else None

    def ping(self, data: bytes) -> bool:
        """Whether a ping is answered."""
        self._protocol.send_ping(data)
        self._read_until(lambda: data in self._pongs)
        return data in self._pongs

    def stays_open(self, seconds: float) -> bool:
        """Whether nothing comes, nor an end, for so long."""
        deadline = time.monotonic() + seconds
        while not self._ended and (left := deadline - time.monotonic()) > 0:
            self._sock.settimeout(left)
            with suppress(TimeoutError):
                self._receive()
        return not self._ended

    def wait_for_end(self) -> None:
        """Read until the other side has closed it."""
        self._read_until(lambda: False)

    def close(self) -> None:
        """Say goodbye; the other side may have gone already."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close()
        with suppress(OSError):
            self._flush()

    def _read_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._seconds
        self._sock.settimeout(self._seconds)
        self._flush()
        while not done() and not self._ended:
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
            self._receive()

    def _receive(self) -> None:
        if received := self._sock.recv(_READ):
            self._protocol.receive_data(received)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self.status = event.status_code
                self.headers = list(event.headers.raw_items())
                self.body = bytes(event.body or b"")
            elif isinstance(event, Frame):
                self._take(event)
        failed = self._protocol.handshake_exc
        if failed and not isinstance(failed, InvalidStatus):  # else it says no
            ended = isinstance(failed.__cause__, EOFError)  # before the head was whole
            self.status, self.body = 0, b"" if ended else str(failed).encode()
        self._ended = not received or bool(failed) or self._protocol.close_rcvd is not None
        self._flush()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._pongs.append(bytes(frame.data))
        elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            if frame.opcode is not Opcode.CONT:
                self._text = frame.opcode is Opcode.TEXT
            self._pieces.append(bytes(frame.data))
            if frame.fin:
                whole = b"".join(self._pieces)
                self._messages.append(whole.decode("utf-8", "replace") if self._text else whole)
                self._pieces.clear()

    def _flush(self) -> None:
        for data in filter(None, self._protocol.data_to_send()):
            self._sock.sendall(data)
