"""The sites of other origins: an empty page each, over plain http as in the post.

At `/sandboxed` its origin is `null`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from hoplab.suites.cors.right import MAIN, METRICS
from hoplab.system.ports import LOOPBACK

STRANGER = "http://stranger.example"
ORIGINS = (MAIN, METRICS, STRANGER)
HOSTS = [str(urlsplit(origin).hostname) for origin in ORIGINS]


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = b"<!doctype html><title>A page of another origin</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        if self.path == "/sandboxed":
            self.send_header("Content-Security-Policy", "sandbox allow-scripts")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[int]:
    """The port on loopback where all of them answer.

    Really served, and not by Playwright: what has no address counts as the public web, which
    Chromium keeps away from loopback.
    """
    with ThreadingHTTPServer((LOOPBACK, 0), _Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
