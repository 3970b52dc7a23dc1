"""Sites that do what nobody should: a server that writes raw bytes, one thread a connection."""

import gzip
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import trustme

LOOPBACK = "127.0.0.1"


@dataclass
class Visit:
    """One request's head, and how to answer. `gone` is set when the site closes."""

    head: bytes
    sock: socket.socket
    gone: threading.Event

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("latin-1")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def for_ever(self, data: bytes, pause: float = 0.0) -> None:
        """Send it again and again, until nobody takes it."""
        while not self.gone.wait(pause):
            self.sock.sendall(data)


Behaviour: TypeAlias = Callable[[Visit], None]


@dataclass
class Site:
    port: int
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0
    changed: threading.Event = field(default_factory=threading.Event)
    """Set with each request; who waits for more clears it."""

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [head.split(b" ", 2)[1].decode("latin-1") for head in self.heads]


@contextmanager
def site(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Listening on a loopback port. `behaviour` is called with each request's head."""
    gone = threading.Event()
    threads: list[threading.Thread] = []
    socks: list[socket.socket] = []
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(16)
        listener.settimeout(0.05)
        found = Site(listener.getsockname()[1])

        def serve(plain: socket.socket) -> None:
            with suppress(OSError):
                plain.settimeout(10)
                sock = tls.wrap_socket(plain, server_side=True) if tls else plain
                socks.append(sock)
                with sock:
                    while head := _head(sock):
                        found.heads.append(head)
                        found.changed.set()
                        behaviour(Visit(head, sock, gone))

        def accept() -> None:
            while not gone.is_set():
                with suppress(TimeoutError):
                    plain, _ = listener.accept()
                    found.connections += 1
                    socks.append(plain)
                    thread = threading.Thread(target=serve, args=(plain,), daemon=True)
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield found
        finally:
            gone.set()
            accepting.join()
            for sock in socks:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()
            for thread in threads:
                thread.join(5)


TLS_HANDSHAKE = b"\x16"


def _head(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := sock.recv(2**16)):
            return b""
        data += piece
        if data.startswith(TLS_HANDSHAKE):  # answered in plain text, as servers do
            sock.sendall(answer(status="400 Bad Request"))
            return b""
    return data


def answer(
    body: bytes = b"", status: str = "200 OK", *headers: str, kind: str = "text/html"
) -> bytes:
    """A whole answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode("latin-1") + body


def always(data: bytes) -> Behaviour:
    """The same answer to everything."""
    return lambda visit: visit.send(data)


def bomb(size: int) -> bytes:
    """gzip of so many zeros."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    return packed.getvalue()


def context_of(authority: trustme.CA, *names: str, expired: bool = False) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.now(UTC) - timedelta(days=1)
    until = past if expired else None
    authority.issue_cert(*names, not_after=until).configure_cert(context)
    return context
