"""Stands in for the hosts from which FastAPI's docs pages take their files.

A server, and not Playwright's `page.route`, which turns the browser's cache off: to compile Swagger
UI anew for each page would take most of the tests' time.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import urlsplit

from hoplab.engines.certificates import Certificates
from hoplab.system.ports import LOOPBACK

_PACKAGE = files("fastapi_offline") / "static"
_FONTS = "https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700"

FILES = {
    "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js": (
        "text/javascript",
        (_PACKAGE / "swagger-ui-bundle.js").read_bytes(),
    ),
    "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui.css": (
        "text/css",
        (_PACKAGE / "swagger-ui.css").read_bytes(),
    ),
    "https://cdn.jsdelivr.net/npm/redoc@2/bundles/redoc.standalone.js": (
        "text/javascript",
        (_PACKAGE / "redoc.standalone.js").read_bytes(),
    ),
    "https://fastapi.tiangolo.com/img/favicon.png": (
        "image/png",
        (_PACKAGE / "favicon.png").read_bytes(),
    ),
    # What only looks: ReDoc's fonts, and its maker's logo.
    _FONTS: ("text/css", b""),
    "https://cdn.redoc.ly/redoc/logo-mini.svg": (
        "image/svg+xml",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ),
}
"""All that the stock pages take from elsewhere: kind and content by URL."""

HOSTS = sorted({f"{urlsplit(url).hostname}" for url in FILES})


@contextmanager
def serving(certificates: Certificates) -> Iterator[int]:
    """Serve them over https, under whatever name; gives the port."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    with _Server((LOOPBACK, 0), _Handler) as server:
        # The handshake is for the connection's own thread.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # the end waits for them: no connection is left open


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 15

    def do_GET(self) -> None:
        kind, content = FILES.get(f"https://{self.headers['Host']}{self.path}", ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""
