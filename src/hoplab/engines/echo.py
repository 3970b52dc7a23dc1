"""An upstream that tells what a proxy passes on: it answers with the head of the request."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hoplab.system.ports import LOOPBACK


class _Echo(socketserver.StreamRequestHandler):
    timeout = 10.0

    def handle(self) -> None:
        head = b""
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            head += line
        if not head:  # a connection that the proxy opened in advance
            return
        answer = (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(head)}\r\n"
            "X-Instance: echo\r\nConnection: close\r\n\r\n"
        )
        self.wfile.write(answer.encode() + head)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def echo() -> Iterator[int]:
    """Run it; gives its port on loopback."""
    with _Server((LOOPBACK, 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
