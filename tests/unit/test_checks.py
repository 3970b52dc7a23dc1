"""Every check passes where all is right, and fails in every one of its symptoms where it is not."""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from hypercorn.middleware import ProxyFixMiddleware
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import app_argument, forwarded_prefix, plain, router
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn import forwarded_prefix as hypercorn_forwarded_prefix
from app.hypercorn.proxy_fix import behind_proxy
from app.instance import InstanceMiddleware
from app.shared import build_app
from hoplab.client.probe import WHO_ANSWERED
from hoplab.results import Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.asking import ask_one
from hoplab.suites.check import Check
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Trust
from tests.unit.messages import batched, bytes_only, closing, held_back, talking
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    SENT,
    TOPOLOGY,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    at,
    believing,
    closed_port,
    doubled,
    header,
    host,
    instead,
    lets_through,
    listening,
    only,
    portless,
    rescoped,
    rewritten,
    scoped,
    status,
    stripped,
    text,
    told,
    tunnelling,
    unaware,
)

pytestmark = pytest.mark.usefixtures("quick_checks")

STREAM = sys.modules["hoplab.suites.contract.checks.stream"]
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


# --- faults that one check alone knows ---


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


# --- the tables ---

HTTPS = Scheme.HTTPS
FOR, PROTO, HOST = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"
NO_TRUST = scoped(scheme="http")
TOO_MUCH_TRUST = scoped(scheme="https")


def by_app(answer: ASGIApp) -> ASGIApp:
    """The application's own answer, though not of the route that was asked."""
    return InstanceMiddleware(answer)


def who_answered(path: str, missing: str = "application-has-no-route") -> list[Case]:
    """What every check has to tell apart, at one path below the prefix."""
    too_many = PlainTextResponse("Too Many Requests", 429)
    timeout = PlainTextResponse("", 504)
    return [
        Case("application-unreachable", f"{path}: 502", outside=instead(path, BAD_GATEWAY)),
        Case("application-unreachable", f"{path}: 504", outside=instead(path, timeout)),
        Case("proxy-answered", f"{path}: 429", outside=instead(path, too_many)),
        Case("proxy-answered", f"{path}: 403", outside=instead(path, FORBIDDEN)),
        Case("proxy-answered", f"{path}: its page", outside=instead(path, WELCOME)),
        Case("proxy-has-no-route", f"{path}: 404", outside=instead(path, NOT_FOUND)),
        Case(missing, f"{path}: 404 of the application", outside=altered(path, status(404))),
        Case("application-error", f"{path}: 500", outside=altered(path, status(500))),
        Case("application-error", f"{path}: its 503", outside=altered(path, status(503))),
    ]


def redirects(path: str) -> list[Case]:
    """What any redirect can be wrong in, at one path below the prefix."""
    drop = header("location", lambda _: None)
    return [
        Case("redirect-wrong-host", "upstream's Host", inside=only(path, host("app:8000"))),
        Case("redirect-wrong-host", "https", inside=only(path, host("app")), scheme=HTTPS),
        Case("redirect-wrong-host", "a user", outside=location("//", "//user@", path)),
        Case("redirect-drops-port", "nginx $host", inside=only(path, portless)),
        Case("redirect-drops-port", "https", inside=only(path, portless), scheme=HTTPS),
        Case("redirect-wrong-port", "another", outside=location(r":\d+", ":8080", path)),
        Case("redirect-wrong-port", "no number", outside=location(r":\d+", ":None", path)),
        Case("redirect-wrong-scheme", "no trust", inside=only(path, NO_TRUST), scheme=HTTPS),
        Case("redirect-wrong-scheme", "too much trust", inside=only(path, TOO_MUCH_TRUST)),
        Case("redirect-wrong-path", "twice", outside=location(PREFIX, PREFIX * 2, path)),
        Case("redirect-wrong-path", "slash lost", outside=location("items/", "items", path)),
        Case("redirect-wrong-path", "part of the prefix", outside=location("/api", "", path)),
        Case("redirect-missing", "200", outside=altered(path, status(200))),
        Case("redirect-missing", "no Location", outside=altered(path, drop)),
        Case("redirect-wrong-status", "308", outside=altered(path, status(308))),
        Case("redirect-wrong-status", "302", outside=altered(path, status(302))),
    ]


WRONG_URLS: list[tuple[str, str, Callable[[str], Any]]] = [
    ("url-wrong-host", "host", replacing("mysuperapp.com", "app")),
    ("url-drops-port", "no port", replacing(r":\d+", "")),
    ("url-wrong-port", "port", replacing(r":\d+", ":8080")),
    ("url-wrong-port", "no number", replacing(r":\d+", ":None")),
    ("url-wrong-scheme", "scheme", replacing("http", "https")),
]
WRONG_PATHS: list[tuple[str, str, Callable[[str], Any]]] = [
    ("url-drops-prefix", "prefix", replacing(PREFIX, "")),
    ("url-wrong-path", "part of the prefix", replacing("/v1", "")),
    ("url-wrong-path", "twice", replacing(PREFIX, PREFIX * 2)),
]

CASES: dict[str, list[Case]] = {
    "reach": [
        *who_answered("/app"),
        Case("application-has-no-route", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("answer-wrong", "no JSON", outside=altered("/app", text('"', ""))),
        Case("answer-wrong", "no object", outside=altered("/app", text("{", "["), text("}", "]"))),
        Case("answer-wrong", "another message", outside=altered("/app", text("World", "Sub"))),
        Case("answer-wrong", "another status", outside=altered("/app", status(203))),
        Case("root-path-missing", "nobody told it", inside=unaware),
        Case("root-path-wrong", "another one", outside=altered("/app", text(PREFIX, "/api"))),
        Case("root-path-wrong", "a slash", outside=altered("/app", text(PREFIX, f"{PREFIX}/"))),
    ],
    "slash-redirect": [
        *redirects("/items"),
        *who_answered("/items"),
        *who_answered("/items/"),
        Case("redirect-drops-prefix", "nobody told it", inside=unaware),
        Case("redirect-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case("redirect-wrong-query", "query lost", outside=location(r"\?q=1", "")),
        Case("redirect-wrong-query", "another query", outside=location(r"q=1", "q=2")),
        Case("redirect-wrong-query", "a fragment", outside=location(r"$", "#x")),
        Case("redirect-wrong-path", "two slashes", outside=location(r"/items/", "//items/")),
        Case(
            "proxy-answered",
            "by the proxy",
            outside=instead("/items", RedirectResponse(f"{PREFIX}/items/?q=1", 307)),
        ),
        Case("redirect-wrong-status", "302 to a POST", outside=only_for("POST", "/items", 302)),
        Case("redirect-missing", "of a POST", outside=only_for("POST", "/items", 200)),
        Case("answer-wrong", "other items", outside=altered("/items/", text("plum", "plu"))),
    ],
    "docs": [
        *who_answered("/docs", missing="docs-unreachable"),
        *who_answered("/redoc", missing="docs-unreachable"),
        *who_answered("/docs/oauth2-redirect", missing="docs-unreachable"),
        Case("docs-unreachable", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("docs-page-wrong", "names none", outside=altered("/docs", text("url:", "uri:"))),
        Case("docs-page-wrong", "ReDoc: none", outside=altered("/redoc", text("spec-url", "spec"))),
        Case("docs-page-wrong", "cut", outside=altered("/docs", text("</html>", ""))),
        Case("docs-page-wrong", "no script", outside=altered("/redoc", text("src=", "data-src="))),
        Case(
            "docs-page-wrong",
            "its script is a 404",
            outside=altered("/docs", text("https://cdn.jsdelivr.net/npm", f"{PREFIX}/no")),
        ),
        Case(
            "docs-page-wrong",
            "its script is a page",
            outside=altered("/redoc", script(f"{PREFIX}/redoc")),
        ),
        Case(
            "proxy-has-no-route",
            "its script is outside",
            outside=altered("/docs", script("/no.js")),
        ),
        Case(
            "docs-page-wrong",
            "its script would be blocked",
            outside=altered("/docs", text("https://cdn", "http://cdn")),
        ),
        Case(
            "docs-page-wrong",
            "names no OAuth2 redirect",
            outside=altered("/docs", text("oauth2RedirectUrl", "other")),
        ),
        Case(
            "docs-page-wrong",
            "OAuth2 redirect on another port",
            outside=altered("/docs", text("oauth2RedirectUrl: window.location.origin + '", "':1")),
        ),
        Case("docs-openapi-404", "nobody told it (fastapi#15)", inside=unaware),
        Case("docs-openapi-404", "not routed", outside=instead("/openapi.json", NOT_FOUND)),
        Case("application-unreachable", "502", outside=instead("/openapi.json", BAD_GATEWAY)),
        Case(
            "proxy-answered",
            "another document",
            outside=instead("/openapi.json", JSONResponse({"openapi": "3.1.0"})),
        ),
        Case("docs-openapi-wrong", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case(
            "docs-openapi-wrong",
            "no OpenAPI",
            outside=altered("/openapi.json", text('"openapi"', '"swagger"')),
        ),
        Case(
            "docs-openapi-404",
            "ReDoc's only",
            outside=altered("/redoc", text("openapi.json", "openapi.yaml")),
        ),
        Case(
            "docs-openapi-wrong",
            "on another host",
            outside=altered("/docs", text("url: '", "url: 'https://cdn.example")),
        ),
    ],
    "servers": [
        *who_answered("/openapi.json"),
        Case("servers-wrong", "nobody told it", inside=unaware),
        Case("answer-wrong", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case("proxy-has-no-route", "operation not routed", outside=instead("/echo", NOT_FOUND)),
        Case("application-unreachable", "operation's 502", outside=instead("/echo", BAD_GATEWAY)),
        Case("application-error", "operation's 500", outside=altered("/echo", status(500))),
        Case("servers-wrong", "operation unknown", outside=altered("/echo", status(404))),
        Case("servers-wrong", "other method", outside=altered("/echo", status(405))),
        Case("servers-wrong", "other prefix", outside=servers("/openapi.json", lambda _: ["/v2"])),
        Case(
            "servers-wrong",
            "second one wrong",
            outside=servers("/openapi.json", lambda urls: [*urls, "/"]),
        ),
        Case(
            "servers-wrong",
            "elsewhere only",
            outside=servers("/openapi.json", lambda _: ["https://prod.example.com"]),
        ),
        Case("servers-wrong", "none", outside=servers("/openapi.json", lambda _: [])),
        Case(
            "servers-wrong",
            "extra ones reversed",
            outside=servers("/extra-servers/openapi.json", lambda urls: urls[::-1]),
        ),
        Case(
            "servers-wrong",
            "extra ones without prefix",
            outside=servers("/extra-servers/openapi.json", lambda urls: urls[1:]),
        ),
        *who_answered("/extra-servers/openapi.json", missing="mount-unreachable"),
        Case(
            "answer-wrong",
            "a variant is no object",
            outside=instead("/extra-servers/openapi.json", by_app(JSONResponse([]))),
        ),
        Case(
            "proxy-answered",
            "root_path_in_servers=False",
            outside=by_another("/no-root-path-in-servers/openapi.json"),
        ),
        Case(
            "servers-wrong",
            "root_path_in_servers=False not obeyed",
            outside=servers("/no-root-path-in-servers/openapi.json", lambda urls: ["/", *urls]),
        ),
    ],
    "url-for": [
        *who_answered("/scope"),
        *who_answered("/app"),
        *(
            Case(symptom, f"{title}, {key} only", outside=altered("/scope", told(change(key))))
            for key in ("url", "url_for", "base_url")
            for symptom, title, change in WRONG_URLS
        ),
        *(
            Case(symptom, f"{title}, {key} only", outside=altered("/scope", told(change(key))))
            for key in ("url", "url_for")
            for symptom, title, change in WRONG_PATHS
        ),
        Case("url-wrong-host", "upstream's Host", inside=host("app:8000")),
        Case("url-wrong-host", "upstream's Host, https", inside=host("app"), scheme=HTTPS),
        Case("url-drops-port", "nginx $host", inside=portless),
        Case("url-wrong-scheme", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("url-wrong-scheme", "too much trust", inside=TOO_MUCH_TRUST),
        Case("url-drops-prefix", "nobody told it", inside=unaware),
        Case("url-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case("url-wrong-query", "query lost", inside=only("/scope", scoped(query_string=b""))),
        Case(
            "url-for-finds-no-route",
            "no such route (starlette#1416)",
            outside=altered("/scope", told(lambda _: {"url_for": None})),
        ),
        Case("answer-wrong", "another route", outside=altered("/app", text("World", "Sub"))),
    ],
    "mount": [
        *who_answered("/sub/app", missing="mount-unreachable"),
        *who_answered("/sub/items"),
        *who_answered("/sub/items/"),
        *who_answered("/sub/docs", missing="mount-docs-broken"),
        *redirects("/sub/items"),
        Case("mount-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case("mount-wrong-root-path", "nobody told it", inside=unaware),
        Case("proxy-answered", "another application", outside=by_another("/sub/app")),
        Case(
            "answer-wrong",
            "the outer application",
            outside=altered("/sub/app", text("Hello Sub", "Hello World")),
        ),
        Case(
            "mount-wrong-root-path",
            "the outer root_path",
            outside=altered("/sub/app", text(f"{PREFIX}/sub", PREFIX)),
        ),
        Case("redirect-drops-prefix", "prefix", outside=location(PREFIX, "", "/sub/items")),
        Case("redirect-wrong-path", "mount", outside=location("/sub", "", "/sub/items")),
        Case("redirect-wrong-query", "one is added", outside=location("$", "?q", "/sub/items")),
        Case("proxy-answered", "a right redirect by another", outside=by_another("/sub/items")),
        Case("answer-wrong", "other items", outside=altered("/sub/items/", text("fleeb", "b"))),
        Case("mount-docs-broken", "no /redoc", outside=altered("/sub/redoc", status(404))),
        Case("mount-docs-broken", "no OpenAPI", outside=instead("/sub/openapi.json", NOT_FOUND)),
        Case(
            "mount-docs-broken",
            "prefix lost",
            outside=altered("/sub/docs", text(f"'{PREFIX}/sub", "'/sub")),
        ),
        Case("servers-wrong", "another", outside=servers("/sub/openapi.json", lambda _: [PREFIX])),
        Case("servers-wrong", "none", outside=servers("/sub/openapi.json", lambda _: [])),
    ],
    "static": [
        *who_answered("/static/hello.txt", missing="static-unreachable"),
        *who_answered("/scope"),
        *(
            Case(symptom, title, outside=altered("/scope", told(change("static_url"))))
            for symptom, title, change in [*WRONG_URLS, *WRONG_PATHS]
        ),
        Case("static-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case(
            "answer-wrong",
            "another file",
            outside=altered("/static/hello.txt", text("Hello", "Goodbye")),
        ),
        Case(
            "url-wrong-path",
            "the same file at another path",
            outside=altered("/scope", text("static/hello", "static/x/../x/hello")),
        ),
        Case(
            "url-wrong-query",
            "a query",
            outside=altered("/scope", told(lambda d: {"static_url": d["static_url"] + "?q"})),
        ),
        Case(
            "url-for-finds-no-route",
            "no URL",
            outside=altered("/scope", told(lambda _: {"static_url": None})),
        ),
    ],
    "websocket": [
        Case("application-unreachable", "by the proxy", outside=instead("/ws", BAD_GATEWAY)),
        Case("proxy-has-no-route", "no route", outside=instead("/ws", NOT_FOUND)),
        Case("proxy-answered", "a refusal of the proxy's", outside=instead("/ws", no_websocket)),
        Case("websocket-refused", "no such route", outside=instead("/ws", by_app(no_websocket))),
        Case(
            "application-error",
            "an exception",
            outside=instead("/ws", by_app(PlainTextResponse("", 500))),
        ),
        Case(
            "websocket-refused", "400", outside=instead("/ws", by_app(PlainTextResponse("", 400)))
        ),
        Case("application-unreachable", "in the mount", outside=instead("/sub/ws", BAD_GATEWAY)),
        Case("websocket-closed", "by an error", outside=only("/ws", talking(closing(1011)))),
        Case("answer-wrong", "as bytes", outside=only("/ws", talking(bytes_only))),
        Case("websocket-refused", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("websocket-refused", "only a label (starlette#2966)", inside=stripped),
        Case(
            "proxy-answered",
            "another application",
            outside=instead("/ws", websocket_saying('{"scheme": "ws", "root_path": "/api/v1"}')),
        ),
        Case(
            "websocket-closed",
            "closed without a word",
            outside=instead("/ws", InstanceMiddleware(websocket_saying(None))),
        ),
        Case(
            "answer-wrong",
            "no JSON",
            outside=instead("/ws", InstanceMiddleware(websocket_saying("hello"))),
        ),
        Case("websocket-wrong-scheme", "no trust", inside=scoped(scheme="ws"), scheme=HTTPS),
        Case("websocket-wrong-scheme", "too much trust", inside=scoped(scheme="wss")),
        Case("websocket-wrong-scheme", "hypercorn#198", inside=TOO_MUCH_TRUST, scheme=HTTPS),
        Case(
            "websocket-wrong-scheme",
            "in the mount",
            inside=only("/sub/ws", scoped(scheme="wss")),
        ),
        Case("websocket-wrong-root-path", "nobody told it", inside=only("/ws", unaware)),
        Case(
            "websocket-wrong-root-path",
            "nobody told it in the mount",
            inside=only("/sub/ws", unaware),
        ),
    ],
    "client": [
        *who_answered("/scope"),
        Case("scheme-wrong", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("scheme-wrong", "too much trust", inside=TOO_MUCH_TRUST),
        Case("host-wrong", "upstream's Host", inside=host("app:8000")),
        Case("host-wrong", "nginx $host", inside=portless),
        Case("host-wrong", "two", inside=host("mysuperapp.com", "app")),
        Case("host-wrong", "none", inside=host()),
        Case("client-wrong", "no trust", inside=scoped(client=("172.18.0.2", 4711))),
        Case("client-wrong", "Unix socket", inside=scoped(client=None)),
        Case("client-wrong", "with its port", inside=scoped(client=(f"{LOOPBACK}:4711", 0))),
    ],
    "spoof": [
        *who_answered("/scope"),
        *who_answered("/items"),
        Case(
            "client-spoofable",
            "--forwarded-allow-ips=*",
            inside=all_of(lets_through(FOR, PROTO), uvicorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "ProxyFix without proxy",
            inside=all_of(lets_through(FOR, PROTO, HOST), hypercorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "the first of several is believed",
            inside=all_of(appends, uvicorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "underscores only",
            inside=all_of(lets_through("x_forwarded_for"), believes_underscores),
        ),
        Case(
            "client-spoofable",
            "second one only",
            inside=all_of(lets_through(FOR), believes_second),
        ),
        Case("forwarded-misread", "unknown", inside=all_of(lets_through(FOR), confused)),
        Case(
            "scheme-spoofable",
            "X-Forwarded-Proto is passed on",
            inside=all_of(lets_through(PROTO), uvicorn_trusts_all),
        ),
        Case(
            "scheme-spoofable",
            "X-Forwarded-Proto is passed on, https",
            inside=all_of(lets_through(PROTO), uvicorn_trusts_all),
            scheme=HTTPS,
        ),
        Case(
            "host-spoofable",
            "X-Forwarded-Host is passed on",
            inside=all_of(lets_through(HOST), hypercorn_trusts_all),
        ),
        Case("host-spoofable", "in redirects only", outside=redirects_as_told("http://{}/")),
        Case(
            "prefix-spoofable",
            "in redirects only",
            outside=redirects_as_told("http://mysuperapp.com/canary/"),
        ),
        Case(
            "scheme-spoofable",
            "in redirects only",
            outside=redirects_as_told("https://mysuperapp.com/"),
        ),
        Case(
            "forwarded-misread",
            "in redirects only",
            outside=redirects_as_told("http://mysuperapp.com/"),
        ),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix is passed on",
            inside=all_of(unaware, lets_through("x-forwarded-prefix"), prefix_of_anybody),
        ),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix leads elsewhere",
            inside=all_of(lets_through("x-forwarded-prefix"), asks_elsewhere),
        ),
        Case("proxy-answered", "the proxy refuses", outside=refuses_forwarded(429)),
        Case("application-unreachable", "the proxy has none", outside=refuses_forwarded(502)),
        Case("forwarded-passed-on", "X-Forwarded-For", inside=lets_through(FOR)),
        Case("forwarded-passed-on", "X-Forwarded-For, appended to", inside=appends),
        Case(
            "forwarded-passed-on",
            "an address with another port each time",
            inside=all_of(with_ports, lets_through("x-real-ip")),
        ),
        Case("forwarded-passed-on", "X-Forwarded-Proto", inside=lets_through(PROTO)),
        Case("forwarded-passed-on", "X-Forwarded-Host", inside=lets_through(HOST)),
        Case("forwarded-passed-on", "X-Forwarded-Port", inside=lets_through("x-forwarded-port")),
        Case("forwarded-passed-on", "X-Real-IP", inside=lets_through("x-real-ip")),
        Case("forwarded-passed-on", "Forwarded", inside=lets_through("forwarded")),
        Case(
            "forwarded-passed-on", "over a WebSocket", inside=only("/ws", lets_through("x-real-ip"))
        ),
        Case("forwarded-passed-on", "underscores", inside=lets_through("x_real_ip")),
    ],
    "boundary": [
        Case("prefix-leaks", "sibling", outside=rewritten(f"{PREFIX}0/app", f"{PREFIX}/0/app")),
        Case("prefix-leaks", "\\b", outside=rewritten(f"{PREFIX}-beta/app", f"{PREFIX}/app")),
        Case("prefix-leaks", "other case", outside=rewritten("/API/V1/app", f"{PREFIX}/app")),
        Case("proxy-answered", "sibling, another page", outside=instead("0/app", WELCOME)),
        Case("prefix-leaks", "no prefix", outside=rewritten("/app", f"{PREFIX}/app")),
        Case("proxy-answered", "no prefix, a page", outside=at("/app", lambda _: WELCOME)),
        Case("proxy-answered", "no prefix, 403", outside=at("/app", lambda _: FORBIDDEN)),
        Case("application-unreachable", "no prefix", outside=at("/app", lambda _: BAD_GATEWAY)),
        Case("prefix-leaks", "dots, encoded", outside=keeps_encoded_dots),
        Case("prefix-leaks", "dots behind the prefix", outside=passes_dots_on),
        Case("prefix-leaks", "dots (proxy_pass without path)", outside=resolves_to_compare),
        Case("path-altered", "decoded", inside=decoded),
        Case("path-altered", "lower case", inside=lower_case),
        Case("path-altered", "merged", inside=merged),
        *who_answered("/scope/a/b/café"),
        Case(
            "answer-wrong",
            "another route",
            outside=rewritten(f"{PREFIX}/scope/a/b/café", f"{PREFIX}/app"),
        ),
    ],
    "prefix-once": [
        Case("prefix-leaks", "doubled", outside=rewritten(f"{PREFIX * 2}/app", f"{PREFIX}/app")),
        Case(
            "prefix-stripped-twice",
            "fixed prefix behind a proxy that strips",
            inside=all_of(unaware, fixed_prefix),
        ),
        Case("prefix-stripped-twice", "only a label", inside=stripped),
        Case(
            "prefix-stripped-twice",
            "by the proxy",
            outside=rewritten(f"{PREFIX * 2}/nested", f"{PREFIX}/nested"),
        ),
        Case("application-unreachable", "nested", outside=instead(f"{PREFIX}/nested", BAD_GATEWAY)),
        Case("proxy-has-no-route", "nested", outside=instead(f"{PREFIX}/nested", NOT_FOUND)),
        Case("application-error", "nested", outside=altered(f"{PREFIX}/nested", status(500))),
        Case("bare-prefix-broken", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("bare-prefix-broken", "404", outside=altered("", status(404))),
        Case("proxy-has-no-route", "bare", outside=instead("", NOT_FOUND)),
        Case("proxy-has-no-route", "bare, with slash", outside=instead("/", NOT_FOUND)),
        Case("proxy-answered", "bare, another page", outside=instead("/", WELCOME)),
        Case(
            "answer-wrong", "bare, another route", outside=rewritten(f"{PREFIX}/", f"{PREFIX}/docs")
        ),
        Case("bare-prefix-broken", "redirect to root", outside=instead("", RedirectResponse("/"))),
        Case("bare-prefix-broken", "query lost", inside=only("/", scoped(query_string=b""))),
        Case(
            "bare-prefix-broken",
            "redirect without the query",
            outside=instead("", RedirectResponse(f"{PREFIX}/")),
        ),
        Case(
            "bare-prefix-broken",
            "redirect to another port",
            outside=instead("", RedirectResponse("http://mysuperapp.com:8080/api/v1/", 301)),
        ),
    ],
    "stream": [
        *who_answered("/events"),
        *who_answered("/echo"),
        Case("stream-buffered", "until the end", outside=altered("/events")),
        Case("stream-buffered", "two at a time", outside=only("/events", batched(2))),
        Case("stream-buffered", "each until the next", outside=only("/events", held_back)),
        Case("events-lost", "one line break", outside=altered("/events", text("\n\n", "\n"))),
        Case(
            "answer-wrong",
            "as text",
            outside=altered("/events", header("content-type", lambda _: "text/plain")),
        ),
        Case("events-lost", "all", outside=altered("/events", text("data", "d"))),
        Case("events-lost", "one", outside=altered("/events", text('data: {"number": 1', ""))),
        Case("proxy-answered", "another application", outside=by_another("/echo")),
        Case("body-refused", "too large", outside=instead("/echo", too_large)),
        Case("body-refused", "too large, https", outside=instead("/echo", too_large), scheme=HTTPS),
        Case("body-altered", "way there", inside=only("/echo", loses_a_byte)),
        Case("body-altered", "way back", outside=altered("/echo", text("a", "b"))),
        Case("answer-cut", "cut short", outside=only("/echo", cut_short)),
    ],
}

TESTED_BELOW = {"boundary": {"tunnel-opened"}, "bypass": {"direct-spoofable"}}
"""Symptoms of faults that no ASGI application behind the stub's ports can have."""


@pytest.mark.parametrize(
    ("check", "case"),
    [
        pytest.param(check, case, id=f"{check}: {case.symptom}: {case.title}")
        for check, cases in CASES.items()
        for case in cases
    ],
)
def test_a_fault_is_found_and_named(
    stub: Stub, check: str, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STREAM, "_INTERVALS", (0.1, 0.1))  # to wait still less
    stub.serve(case.inside, case.outside)

    finding = stub.ask(check, case.scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail
    assert finding.exchanges, "no evidence"
    assert finding.detail


@pytest.mark.parametrize("agrees_to", [b"Upgrade: h2c", b"Upgrade: websocket"])
def test_a_tunnel_is_found(stub: Stub, agrees_to: bytes) -> None:
    """One that looks at one value alone is led astray by a second."""
    with tunnelling(stub.endpoint.ports[Scheme.HTTP], agrees_to) as port:
        ports = {**stub.endpoint.ports, Scheme.HTTP: port}
        tunnel, others = stub.ask("boundary", ports=ports), stub.ask("static", ports=ports)

    assert (tunnel.verdict, tunnel.symptom) == (Verdict.FAIL, "tunnel-opened"), tunnel.detail
    assert others.verdict is Verdict.PASS, others.detail


@pytest.mark.parametrize(
    "believes",
    [
        pytest.param(uvicorn_trusts_all, id="client and scheme (Uvicorn, *)"),
        pytest.param(hypercorn_trusts_all, id="client, scheme and host (ProxyFixMiddleware)"),
        pytest.param(prefix_of_anybody, id="prefix"),
        pytest.param(asks_elsewhere, id="prefix, which leads to 404"),
        pytest.param(
            lambda app: behind_proxy(app, LOOPBACK), id="the client's address is the proxy's"
        ),
    ],
)
def test_a_stranger_past_the_proxy_who_is_believed_is_found(stub: Stub, believes: Fault) -> None:
    with listening(believes(plain.app)) as port:
        finding = stub.ask("bypass", direct=(LOOPBACK, port), source=LOOPBACK)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, "direct-spoofable"), finding.detail
    assert f"asked directly, from {LOOPBACK}" in finding.detail
    assert f":{port}/scope" in finding.exchanges[-1].url


@pytest.mark.parametrize(
    ("mode", "app"),
    [
        pytest.param(Mode.STRIP, plain.app, id="strip"),
        pytest.param(Mode.PRESERVE, router.app, id="preserve"),
        pytest.param(Mode.STRIP, behind_proxy(plain.app, "192.0.2.1"), id="another is believed"),
    ],
)
def test_a_stranger_past_the_proxy_who_is_not_believed(
    stub: Stub, mode: Mode, app: ASGIApp
) -> None:
    with listening(app) as port:
        topology = replace(TOPOLOGY, mode=mode)
        finding = stub.ask("bypass", topology=topology, direct=(LOOPBACK, port), source=LOOPBACK)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.detail.endswith("with forwarded headers: nothing changed")


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
@pytest.mark.parametrize(
    ("trusted", "verdict"), [("127.0.0.9", Verdict.FAIL), (LOOPBACK, Verdict.PASS)]
)
def test_a_stranger_comes_from_the_client_s_address(
    stub: Stub, trusted: str, verdict: Verdict
) -> None:
    with listening(behind_proxy(plain.app, trusted)) as port:
        finding = stub.ask("bypass", direct=(LOOPBACK, port), source="127.0.0.9")

    assert finding.verdict is verdict, finding.detail


@pytest.mark.parametrize("missing", ["direct", "source"])
def test_without_an_address_of_its_own_nobody_is_asked_directly(stub: Stub, missing: str) -> None:
    with listening(uvicorn_trusts_all(plain.app)) as port:
        known: dict[str, Any] = {"direct": (LOOPBACK, port), "source": LOOPBACK, missing: None}
        finding = stub.ask("bypass", **known)

    assert finding.verdict is Verdict.NOT_APPLICABLE, finding.detail
    assert finding.detail.startswith("not asked past the proxy")


@pytest.mark.parametrize(
    ("trust", "variation", "size"),
    [
        (Trust.PROXY, "", 2**24),
        (Trust.PROXY, "nginx-no-body-size", 2**20 + 2**16),
        (Trust.ANY, "", 2**18),
    ],
)
def test_the_body_is_large_where_it_is_the_recipe(
    stub: Stub, trust: Trust, variation: str, size: int
) -> None:
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, trust, Scheme.HTTP, variation)

    finding = ask_one("stream", CHECKS["stream"], stub.target(cell))

    assert finding.verdict is Verdict.PASS, finding.detail
    [echo] = [each for each in finding.exchanges if each.method == "POST"]
    assert echo.header("X-Body-Length") == str(size)


def test_events_that_the_client_had_no_time_to_read_are_asked_for_again(stub: Stub) -> None:
    late = altered("/events")

    def late_once(app: ASGIApp) -> ASGIApp:
        ways = iter([late(app)])

        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            way = next(ways, app) if scope["path"].endswith("/events") else app
            await way(scope, receive, send)

        return proxy

    stub.serve(as_it_is, late_once)

    finding = stub.ask("stream")

    assert finding.verdict is Verdict.PASS, finding.detail
    asked = [each.url.partition("?")[2] for each in finding.exchanges if each.method == "GET"]
    assert asked == ["count=3&interval=0.1", "count=3&interval=0.4"]


JUDGED = [name for name in CHECKS if name not in {"direct", "limits", "bypass"}]
"""`bypass` takes an application past the proxy: see above."""


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("check", JUDGED)
def test_a_right_deployment_passes(stub: Stub, check: str, scheme: Scheme) -> None:
    finding = stub.ask(check, scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail
    assert finding.exchanges, "no evidence"
    assert finding.detail


@rescoped
def forwarded(scope: Scope) -> dict[str, Any]:
    """What a right proxy sends along: all headers its own."""
    own = {
        b"x-forwarded-for": scope["client"][0].encode(),
        b"x-forwarded-proto": scope["scheme"].replace("ws", "http").encode(),
        b"x-forwarded-host": dict(scope["headers"])[b"host"],
        b"x-forwarded-prefix": PREFIX.encode(),
    }
    return {"headers": [*(h for h in scope["headers"] if h[0] not in own), *own.items()]}


@pytest.mark.parametrize("check", [name for name in JUDGED if name != "stream"])
@pytest.mark.parametrize(
    ("strategy", "app", "inside"),
    [
        pytest.param(Strategy.ROUTER, router.app, scoped(root_path=""), id="router"),
        pytest.param(
            Strategy.FORWARDED_PREFIX,
            hypercorn_forwarded_prefix.app,
            all_of(forwarded, unaware),
            id="forwarded-prefix, strip",
        ),
        pytest.param(
            Strategy.FORWARDED_PREFIX,
            forwarded_prefix.app,
            scoped(root_path=""),
            id="forwarded-prefix, preserve",
        ),
    ],
)
def test_other_right_strategies_pass(
    stub: Stub, check: str, strategy: Strategy, app: ASGIApp, inside: Fault
) -> None:
    stub.serve(inside, as_it_is, app)

    finding = stub.ask(check, strategy=strategy)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


# --- docs without a CDN ---

BUNDLE = "/docs/files/swagger-ui-bundle.js"


@pytest.fixture
def offline(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> ASGIApp:
    """The application with DOCS_OFFLINE=1, whose pages name scripts of its own."""
    monkeypatch.setenv("DOCS_OFFLINE", "1")
    app = build_app()
    stub.serve(as_it_is, as_it_is, app)
    return app


@pytest.mark.usefixtures("offline")
def test_scripts_of_the_application_s_own_are_loaded(stub: Stub) -> None:
    finding = stub.ask("docs")

    assert finding.verdict is Verdict.PASS, finding.detail
    assert [e.status for e in finding.exchanges if e.url.endswith(BUNDLE)] == [200]


@pytest.mark.parametrize(
    ("fault", "symptom"),
    [
        (instead(BUNDLE, NOT_FOUND), "proxy-has-no-route"),
        (altered(BUNDLE, status(404)), "docs-page-wrong"),
        (altered(BUNDLE, header("content-type", lambda _: "text/html")), "docs-page-wrong"),
    ],
)
def test_a_script_of_its_own_that_does_not_load_is_found(
    stub: Stub, offline: ASGIApp, fault: Fault, symptom: str
) -> None:
    stub.serve(as_it_is, fault, offline)

    assert stub.ask("docs").symptom == symptom


# --- questions that are not judged ---


def test_client_without_known_address_is_not_applicable(stub: Stub) -> None:
    finding = stub.ask("client", client=None)

    assert (finding.verdict, finding.symptom) == (Verdict.NOT_APPLICABLE, None)
    assert finding.detail.endswith("the client's address is not known here")


def test_direct_without_address_is_not_applicable(stub: Stub) -> None:
    finding = stub.ask("direct", direct=None)

    assert (finding.verdict, finding.exchanges) == (Verdict.NOT_APPLICABLE, [])


def test_direct_without_a_way_is_not_applicable(stub: Stub) -> None:
    """Docker Desktop knows addresses that this machine has no way to."""
    finding = stub.ask("direct", direct=(LOOPBACK, closed_port()))

    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "Connection refused" in finding.detail


def test_direct_answer_of_somebody_else_is_an_error(stub: Stub) -> None:
    with listening(WELCOME) as port:
        finding = stub.ask("direct", direct=(LOOPBACK, port))

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    ("app", "options", "status"),
    [(plain.app, {"root_path": PREFIX}, 404), (app_argument.app, {}, 200)],
    ids=["uvicorn --root-path", "FastAPI(root_path=)"],
)
def test_direct_records_where_the_guide_is_right_and_where_not(
    stub: Stub, scheme: Scheme, app: ASGIApp, options: dict[str, str], status: int
) -> None:
    with listening(app, **options) as port:
        finding = stub.ask("direct", scheme, direct=(LOOPBACK, port))

    assert (finding.verdict, finding.symptom) == (Verdict.RECORDED, None)
    assert finding.detail == (
        '/app: 200 {"message":"Hello World","root_path":"/api/v1"};'
        f" with the prefix: {status}; the OpenAPI document that /docs names: {status}"
    )


# --- the tables and the docstrings agree ---


def documented(check: Check) -> set[str]:
    """The symptoms that the docstring names after "Symptom:" or "Symptoms:"."""
    _, _, named = re.sub(r"Symptoms?:", "\0", inspect.getdoc(check) or "").partition("\0")
    return set(re.findall(r"`([a-z0-9-]+)`", named))


@pytest.mark.parametrize("check", [*CASES, *(TESTED_BELOW.keys() - CASES.keys()), "direct"])
def test_every_documented_symptom_has_a_case_and_every_case_is_documented(check: str) -> None:
    tested = {case.symptom for case in CASES.get(check, [])} | TESTED_BELOW.get(check, set())

    assert tested - set(WHO_ANSWERED) == documented(CHECKS[check])


@pytest.mark.parametrize("check", CHECKS)
def test_docstrings_begin_with_the_question(check: str) -> None:
    assert (inspect.getdoc(CHECKS[check]) or "").splitlines()[0].endswith("?")


@pytest.mark.parametrize("check", CHECKS)
def test_every_symptom_in_the_source_is_documented(check: str) -> None:
    source = inspect.getsource(sys.modules[CHECKS[check].__module__])

    assert set(symptoms_in(ast.parse(source))) - documented(CHECKS[check]) == set()


def symptoms_in(tree: ast.Module) -> Iterator[str]:
    """Those that a check's module can raise by itself, as far as they stand in it as constants."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("Failed") | ast.Attribute(attr="fail"), args=[first, *_]):
                yield from constants([first])
            case ast.Call(func=ast.Name("compare_urls"), args=[_, _, _, what]):
                for name in constants([what]):
                    yield from (f"{name}-{how}" for how in COMPARED)
            case ast.Constant(value=str(name)) if name in SYMPTOMS:
                yield name


COMPARED = (
    *("wrong-host", "drops-port", "wrong-port", "wrong-scheme"),
    *("drops-prefix", "wrong-path", "wrong-query"),
)


def constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_source_is_read() -> None:
    """Else the test above proves nothing: what it finds is what all docstrings name."""
    found: set[str] = set()
    for check in CHECKS.values():
        found |= set(symptoms_in(ast.parse(inspect.getsource(sys.modules[check.__module__]))))

    assert found == {symptom for check in CHECKS.values() for symptom in documented(check)}
