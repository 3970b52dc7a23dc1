"""Connections to sites that nobody vouches for: bounded in time and in bytes, whatever comes.

Every wait is in short pieces, so that Ctrl-C is obeyed, and ends at the deadline, however slowly
single bytes come in.
"""

import errno
import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from hoplab.endpoint import Address
from hoplab.errors import HoplabError
from hoplab.system import interrupts

_SLICE = 0.1  # seconds until Ctrl-C is looked for again


class TooMuch(HoplabError):
    """More bytes came than anybody wants."""


class BadAuthority(HoplabError):
    """The file of `--ca` has no certificates."""


class TooLate(TimeoutError):
    """The time that one request has is over."""


@dataclass
class Budget:
    """What one exchange may still cost. deadline: in seconds of time.monotonic()."""

    deadline: float
    bytes: int
    received: int = 0

    def wait(self) -> float:
        """How long to wait at most before asking again. Raises TooLate at the deadline."""
        interrupts.check()
        if (left := self.deadline - time.monotonic()) <= 0:
            raise TooLate("timed out")
        return min(left, _SLICE)

    def spend(self, number: int) -> None:
        """So many bytes have come. Raises TooMuch if they are more than there were left."""
        self.received += number
        self.bytes -= number
        if self.bytes < 0:
            raise TooMuch("more bytes than are read of one answer")


class Guarded:
    """A connected socket that obeys a budget, which its user sets before each exchange."""

    def __init__(self, sock: socket.socket, budget: Budget) -> None:
        self._sock = sock
        self.budget = budget
        self._files = 0
        self._closed = False

    def recv_into(self, buffer: Any) -> int:
        """As a socket's; in slices."""
        while True:
            self._sock.settimeout(self.budget.wait())
            try:
                number = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self.budget.spend(number)
            return number

    def recv(self, most: int) -> bytes:
        """As a socket's."""
        buffer = bytearray(most)
        return bytes(buffer[: self.recv_into(buffer)])

    def sendall(self, data: bytes, _flags: int = 0) -> None:
        """As a socket's. A request is small: what is not taken by the deadline is given up."""
        self.budget.wait()
        self._sock.settimeout(max(0.001, self.budget.deadline - time.monotonic()))
        self._sock.sendall(data)

    def settimeout(self, _seconds: float | None) -> None:
        """The budget decides alone."""

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client reads answers from, after it has closed the socket as well."""
        self._files += 1
        return io.BufferedReader(_Raw(self))

    def close(self) -> None:
        """As a socket's: at once, or with the last of its files."""
        self._closed = True
        if not self._files:
            self._sock.close()

    def file_closed(self) -> None:
        """One of its files was closed."""
        self._files -= 1
        if self._closed:
            self.close()

    def as_socket(self) -> socket.socket:
        """For the type checker: it has of a socket what its users need."""
        return cast("socket.socket", self)


class _Raw(io.RawIOBase):
    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._guarded.file_closed()

    def readinto(self, buffer: Any) -> int:
        return self._guarded.recv_into(buffer)


def addresses(host: str, port: int, budget: Budget) -> Sequence[tuple[int, Any]]:
    """Family and address of a host, in the system's order. Raises socket.gaierror, TooLate.

    In a thread: the system's function can't be interrupted, and waits as long as it likes.
    """
    found: list[tuple[int, Any]] = []
    failed: list[OSError] = []

    def look_up() -> None:
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend((each[0], each[4]) for each in told)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(budget.wait())
    if failed:
        raise failed[0]
    return list(dict.fromkeys(found))


def connected(places: Sequence[Address], budget: Budget) -> socket.socket:
    """A TCP connection to the first of these that takes one. Raises OSError, TooLate."""
    last: OSError = OSError(errno.EHOSTUNREACH, "no address")
    for host, port in places:
        for family, address in addresses(host, port, budget):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                _connect(sock, address, budget)
            except OSError as error:
                sock.close()
                if isinstance(error, TooLate):
                    raise
                last = error
            except BaseException:
                sock.close()
                raise
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
    raise last


def _connect(sock: socket.socket, address: Any, budget: Budget) -> None:
    sock.settimeout(0)
    number = sock.connect_ex(address)
    if number not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
        raise OSError(number, errno.errorcode.get(number, ""))
    if number:
        while not select.select([], [sock], [], budget.wait())[1]:
            pass
        if number := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(number, errno.errorcode.get(number, ""))


def secured(
    sock: socket.socket, context: ssl.SSLContext, name: str, budget: Budget
) -> ssl.SSLSocket:
    """TLS over a connection. Raises ssl.SSLError, TooLate; closes the connection then."""
    sock.settimeout(0)
    try:
        tls = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                select.select([tls], [], [], budget.wait())
            except ssl.SSLWantWriteError:
                select.select([], [tls], [], budget.wait())
            else:
                return tls
    except BaseException:
        tls.close()
        raise


def context(authority: str | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """As browsers verify; or with one authority alone, or nothing at all (`--insecure`).

    Raises BadAuthority.
    """
    try:
        made = ssl.create_default_context(cafile=authority)
    except (ssl.SSLError, OSError) as error:
        message = f"--ca {authority}: no certificates can be read from it"
        raise BadAuthority(message) from error
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["http/1.1"])
    return made
