"""A site in this process: an ASGI application behind a proxy that is a function, and no wire."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from hoplab.client.asker import Silence
from hoplab.client.wire import Exchange, Headers
from hoplab.diagnosis.diagnose import diagnose
from hoplab.diagnosis.questions import ask_all, sheet_of
from hoplab.diagnosis.site import explore, site_of
from hoplab.diagnosis.words import Diagnosis, Sheet
from hoplab.diagnosis.worlds import Setting

Answering = Callable[[str, str, Mapping[str, str]], tuple[int, Headers, bytes]]
"""A method, a path with its query and the headers; what is answered."""


@dataclass
class StubAsker:
    """Asks `answering`; a WebSocket's handshake is answered by what begins with `socket`."""

    answering: Answering
    socket: int = 403
    socket_headers: Headers = ()
    socket_body: bytes = b""
    requests: int = 0
    asked: list[str] = field(default_factory=list)

    def ask(self, url: str, method: str = "GET", headers: Headers = ()) -> Exchange:
        self.requests += 1
        parts = urlsplit(url)
        self.asked.append(parts.path)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        status, answered, body = self.answering(method, path, dict(headers))
        if not status:
            raise Silence(f"{url}: no answer")
        return Exchange(method, url, headers, status, answered, body)

    def shake_hands(self, url: str, headers: Headers = ()) -> Exchange:
        self.requests += 1
        return Exchange(
            "WEBSOCKET", url, headers, self.socket, self.socket_headers, self.socket_body
        )


def asgi(app: Any, *, host: str, scheme: str = "http", root_path: str = "") -> Answering:
    """An application as a server runs it that is asked under this host and scheme."""

    def answering(_: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        plain, _, query = path.partition("?")
        raw = [(b"host", host.encode())]
        raw += [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": scheme,
            "path": unquote(plain),
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": root_path,
            "headers": raw,
            "client": ("192.0.2.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        return asyncio.run(_answer(app, scope))

    return answering


async def _answer(app: Any, scope: dict[str, Any]) -> tuple[int, Headers, bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = [(k.decode(), v.decode()) for k, v in sent[0]["headers"]]
    return sent[0]["status"], head, b"".join(each.get("body", b"") for each in sent[1:])


def examined(asker: StubAsker, url: str, prefix: str | None = None) -> tuple[Sheet, Diagnosis]:
    """Explore, ask and diagnose."""
    site = site_of(asker, url, prefix)
    explore(site, prefix)
    sheet = sheet_of([*ask_all(site, spoof=True)])
    parts = urlsplit(url)
    setting = Setting(parts.scheme == "https", parts.port is not None, bool(site.prefix))
    return sheet, diagnose(sheet, setting)
