"""Deployments that are spoiled in one way each, for the checks of the contract to find."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from hypercorn.middleware import ProxyFixMiddleware
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import plain
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from hoplab.topology import Scheme
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    SENT,
    Fault,
    altered,
    as_it_is,
    believing,
    header,
    rescoped,
    scoped,
    status,
    told,
)

NOT_FOUND = PlainTextResponse("404 page not found", 404)
BAD_GATEWAY = PlainTextResponse("502 Bad Gateway", 502)
FORBIDDEN = PlainTextResponse("403 Forbidden", 403)
WELCOME = PlainTextResponse("Welcome to nginx!")


@dataclass(frozen=True)
class Case:
    """A symptom, and the fault by which a check has to find it."""

    symptom: str
    title: str
    inside: Fault = as_it_is
    outside: Fault = as_it_is
    scheme: Scheme = Scheme.HTTP


def location(old: str, new: str, path: str = "/items") -> Fault:
    return altered(path, header("location", lambda value: re.sub(old, new, value)))


def servers(path: str, change: Any) -> Fault:
    """Other servers in an OpenAPI document; `change` gets the right ones' URLs."""

    def edited(document: dict[str, Any]) -> dict[str, Any]:
        urls = [server["url"] for server in document["servers"]]
        return {"servers": [{"url": url} for url in change(urls)]}

    return altered(path, told(edited))


@rescoped
def decoded(scope: Scope) -> dict[str, bytes]:
    """`proxy_pass http://app/;`: what nginx decoded in order to compare it, it passes on."""
    return {"raw_path": scope["path"].encode()}


@rescoped
def lower_case(scope: Scope) -> dict[str, bytes]:
    return {"raw_path": scope["raw_path"].lower()}


@rescoped
def merged(scope: Scope) -> dict[str, str]:
    return {"path": scope["path"].replace("/a/b", "/b")}


# X_Forwarded_For is taken for X-Forwarded-For, as CGI and WSGI do.
believes_underscores = believing(b"x_forwarded_for", lambda value: {"client": (value, 0)})


@rescoped
def asks_elsewhere(scope: Scope) -> dict[str, Any]:
    """A server that puts any X-Forwarded-Prefix before the path, and tells nobody."""
    prefix = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").decode()
    return {"path": prefix + scope["path"]}


@rescoped
def prefix_leads_away(scope: Scope) -> dict[str, Any]:
    """A middleware that believes any X-Forwarded-Prefix, behind a proxy that removed nothing."""
    prefix = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").decode()
    return {"path": prefix + scope["path"], "root_path": prefix or PREFIX}


@rescoped
def believes_second(scope: Scope) -> dict[str, Any]:
    """The proxy overwrites the first header of a name, and passes the second on."""
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return {"client": (values[1].decode(), 0)} if values[1:] else {}


@rescoped
def appends(scope: Scope) -> dict[str, Any]:
    """`proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`."""
    value = dict(scope[SENT]).get(b"x-forwarded-for", b"unknown") + b", 127.0.0.1"
    return {"headers": [*scope["headers"], (b"x-forwarded-for", value)]}


def redirects_as_told(to: str) -> Fault:
    """A proxy that writes what it was sent, X-Forwarded-Host for example, into redirects."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            given = dict(scope["headers"]).get(b"x-forwarded-host")

            async def rewrite(message: Message) -> None:
                if given and message["type"] == "http.response.start":
                    headers = MutableHeaders(scope=message)
                    if "location" in headers:
                        headers["location"] = to.format(given.decode())
                await send(message)

            await app(scope, receive, rewrite)

        return proxy

    return fault


def refuses_forwarded(code: int) -> Fault:
    """A proxy that answers itself if the client sends forwarded headers."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            lied = b"x-forwarded-for" in dict(scope["headers"])
            answer = PlainTextResponse("", code) if lied else app
            await answer(scope, receive, send)

        return proxy

    return fault


@rescoped
def confused(scope: Scope) -> dict[str, Any]:
    """A wrapper that counts proxies, and takes what is not an address."""
    told = b"x-forwarded-for" in dict(scope["headers"])
    return {"client": ("unknown", 0)} if told else {}


@rescoped
def with_ports(_scope: Scope) -> dict[str, Any]:
    """A proxy whose X-Forwarded-For has the client's port, and a server that keeps it."""
    return {"client": (f"{LOOPBACK}:{next(PORTS)}", 0)}


PORTS = count(40000)


def only_for(method: str, path: str, code: int) -> Fault:
    """Another status, for one method."""
    other = altered(path, status(code))

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = other(app) if scope.get("method") == method else app
            await chosen(scope, receive, send)

        return proxy

    return fault


def script(url: str) -> Any:
    """Another URL of the page's scripts."""

    def edit(answer: Any) -> None:
        answer.body = re.sub(rb'src="[^"]+"', f'src="{url}"'.encode(), answer.body)

    return edit


def replacing(old: str, new: str) -> Callable[[str], Any]:
    """A change of one URL of the scope, by its key."""
    return lambda key: lambda d: {key: re.sub(old, new, d[key], count=1)}


def uvicorn_trusts_all(app: ASGIApp) -> ASGIApp:
    wrapped: Any = ProxyHeadersMiddleware(app, trusted_hosts="*")  # type: ignore[arg-type]
    return wrapped  # type: ignore[no-any-return]


def hypercorn_trusts_all(app: ASGIApp) -> ASGIApp:
    wrapped: Any = ProxyFixMiddleware(app)  # type: ignore[arg-type]
    return wrapped  # type: ignore[no-any-return]


def prefix_of_anybody(app: ASGIApp) -> ASGIApp:
    return ForwardedPrefixMiddleware(app, prefix=PREFIX, trusted="*")


def fixed_prefix(app: ASGIApp) -> ASGIApp:
    return ForwardedPrefixMiddleware(app, prefix=PREFIX, trusted="")


def resolves_to_compare(app: ASGIApp) -> ASGIApp:
    """The proxy resolves dots to find out where a path belongs, and passes on what it was sent."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        inside = f"..{PREFIX}/" in scope["path"]
        target = plain.app if inside else app
        await target({**scope, "root_path": PREFIX} if inside else scope, receive, send)

    return proxy


def passes_dots_on(app: ASGIApp) -> ASGIApp:
    """The proxy compares where a path begins, and passes on dots that lead out again."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        out = scope["path"].startswith(f"{PREFIX}/../")
        target = plain.app if out else app
        await target({**scope, "root_path": PREFIX} if out else scope, receive, send)

    return proxy


@rescoped
def keeps_encoded_dots(scope: Scope) -> dict[str, Any]:
    """The same, of dots that only decoding shows."""
    return {"path": f"{PREFIX}{scope['path']}"} if b"..%2f" in scope["raw_path"] else {}


def loses_a_byte(app: ASGIApp) -> ASGIApp:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        lost = False

        async def lossy() -> Message:
            nonlocal lost
            message = await receive()
            if not lost and message.get("body"):
                message["body"], lost = message["body"][1:], True
            return message

        await app(scope, lossy, send)

    return proxy


def cut_short(app: ASGIApp) -> ASGIApp:
    """A proxy that loses its application in the middle of the answer."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        async def beginning(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"], message["more_body"] = message["body"][:1000], True
            await send(message)

        await app(scope, receive, beginning)
        raise ConnectionError

    return proxy


def by_another(path: str) -> Fault:
    """The right answer, of somebody else."""
    return altered(path, header("x-instance", lambda _: None))


async def too_large(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A proxy with a limit: it answers before it has read the body, and closes."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body"})


async def no_websocket(_scope: Scope, receive: Receive, send: Send) -> None:
    """An application that has no such route: its server answers 403."""
    await receive()
    await send({"type": "websocket.close"})


def websocket_saying(message: str | None) -> ASGIApp:
    """Accepts, says one thing or nothing, and closes."""

    async def talk(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        if message is not None:
            await websocket.send_text(message)
        await websocket.close()

    return talk


def proxy_sets(name: str, value: str) -> Fault:
    """The proxy sets this header."""
    more = (name.encode(), value.encode())
    return rescoped(lambda scope: {"headers": [*scope["headers"], more]})


NO_TRUST = scoped(scheme="http")


TOO_MUCH_TRUST = scoped(scheme="https")
