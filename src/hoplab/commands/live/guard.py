"""Who may ask the live page's server, and what its answers forbid a browser.

It listens on loopback, which every web page that a person has open can send requests to. So:

* `Host` must be one of loopback's own names with our port. A name of somebody else's that is
  resolved to 127.0.0.1 (DNS rebinding) is refused.
* What another site's page sends is refused, by `Sec-Fetch-Site` and `Origin`; a link may lead here.
* What changes something needs the token. It stands in the page, which no other origin can read.
"""

import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hoplab.commands.live.demo_file import TOKEN_HEADER

LARGEST_BODY = 64 * 1024

_SAFE = {"GET", "HEAD"}
_OURS = {"same-origin", "none"}  # none: typed, or a bookmark
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def names(port: int) -> list[str]:
    """What a browser that means this server has as `Host`."""
    hosts = ("127.0.0.1", "localhost", "[::1]")
    return [f"{host}:{port}" for host in hosts]


class Guard:
    """Refuses what is not meant for this server, in plain text; adds the headers to all answers."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self.app = app
        self.hosts = names(port)
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(scope)
        if refused:
            await refused(scope, receive, guarded)
        else:
            await self.app(scope, receive, guarded)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return _refuse(421, f"This server answers at {_listed(self.hosts)} only.")
        if foreign := self._foreign(scope, headers):
            return foreign
        if scope["method"] in _SAFE:
            return None
        if scope["method"] != "POST":
            return _refuse(405, "GET and POST only.")
        return self._unauthorized(headers)

    def _foreign(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """By what browsers say of who asks (Fetch Metadata; RFC 6454)."""
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{headers['host'].lower()}":
            return _refuse(403, "Another site's page must not ask this server.")
        if headers.get("sec-fetch-site", "none") in _OURS:
            return None
        is_link = headers.get("sec-fetch-mode") == "navigate" and (
            headers.get("sec-fetch-dest") == "document"
        )
        if is_link and scope["method"] == "GET" and scope["path"] == "/":
            return None
        return _refuse(403, "Another site's page must not ask this server.")

    def _unauthorized(self, headers: Headers) -> PlainTextResponse | None:
        given = headers.get(TOKEN_HEADER, "").encode()
        if not hmac.compare_digest(given, self.token.encode()):
            return _refuse(403, f"{TOKEN_HEADER} is missing or wrong: reload the page.")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refuse(415, "JSON only (Content-Type: application/json).")
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return _refuse(413, f"A body of at most {LARGEST_BODY} bytes, with its length.")
        return None


def _refuse(status: int, why: str) -> PlainTextResponse:
    return PlainTextResponse(f"{why}\n", status)


def _listed(hosts: Iterable[str]) -> str:
    *others, last = hosts
    return f"{', '.join(others)} and {last}"
