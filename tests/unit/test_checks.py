"""Every check passes where all is right, and fails in every one of its symptoms where it is not."""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypercorn.middleware import ProxyFixMiddleware
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import forwarded_prefix, plain, router
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn import forwarded_prefix as hypercorn_forwarded_prefix
from app.hypercorn.proxy_fix import behind_proxy
from app.instance import InstanceMiddleware
from hoplab.results import Verdict
from hoplab.suites.asking import ask_one
from hoplab.suites.check import Check
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Trust
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

pytestmark = pytest.mark.usefixtures("quick_events")

STREAM = sys.modules["hoplab.suites.contract.checks.stream"]
NOT_FOUND = PlainTextResponse("404 page not found", 404)
BAD_GATEWAY = PlainTextResponse("502 Bad Gateway", 502)
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


@rescoped
def believes_underscores(scope: Scope) -> dict[str, Any]:
    """X_Forwarded_For is taken for X-Forwarded-For, as CGI and WSGI do."""
    value = dict(scope["headers"]).get(b"x_forwarded_for")
    return {"client": (value.decode(), 0)} if value else {}


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


def redirects_as_told(app: ASGIApp) -> ASGIApp:
    """A proxy that writes the X-Forwarded-Host it was sent into redirects."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"x-forwarded-host")

        async def rewrite(message: Message) -> None:
            if given and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    headers["location"] = f"http://{given.decode()}/"
            await send(message)

        await app(scope, receive, rewrite)

    return proxy


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

CASES: dict[str, list[Case]] = {
    "reach": [
        Case("unreachable", "not routed", outside=instead("/app", NOT_FOUND)),
        Case("unreachable", "application down", outside=instead("/app", BAD_GATEWAY)),
        Case("unreachable", "another page", outside=instead("/app", WELCOME)),
        Case("unreachable", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("unreachable", "500", outside=altered("/app", status(500))),
        Case("unreachable", "no JSON", outside=altered("/app", text('"', ""))),
        Case("unreachable", "no object", outside=altered("/app", text("{", "["), text("}", "]"))),
        Case("unreachable", "another message", outside=altered("/app", text("World", "Sub"))),
        Case("root-path-missing", "nobody told it", inside=unaware),
        Case("root-path-missing", "another one", outside=altered("/app", text(PREFIX, "/api"))),
    ],
    "slash-redirect": [
        Case("redirect-wrong-host", "upstream's Host", inside=host("app:8000")),
        Case("redirect-wrong-host", "upstream's Host, https", inside=host("app"), scheme=HTTPS),
        Case("redirect-drops-port", "nginx $host", inside=portless),
        Case("redirect-drops-port", "nginx $host, https", inside=portless, scheme=HTTPS),
        Case("redirect-drops-port", "no number", outside=location(r":\d+", ":None")),
        Case("redirect-wrong-scheme", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("redirect-wrong-scheme", "too much trust", inside=TOO_MUCH_TRUST),
        Case("redirect-drops-prefix", "nobody told it", inside=unaware),
        Case("redirect-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case("redirect-broken", "not routed", outside=instead("/items", NOT_FOUND)),
        Case("redirect-broken", "no redirect", outside=altered("/items", status(200))),
        Case("redirect-broken", "308", outside=altered("/items", status(308))),
        Case(
            "redirect-broken",
            "by the proxy",
            outside=instead("/items", RedirectResponse(f"{PREFIX}/items/?q=1", 307)),
        ),
        Case(
            "redirect-broken",
            "no Location",
            outside=altered("/items", header("location", lambda _: None)),
        ),
        Case("redirect-broken", "query lost", outside=location(r"\?q=1", "")),
        Case("redirect-broken", "slash lost", outside=location(r"items/", "items")),
        Case("redirect-broken", "target 404", outside=instead("/items/", NOT_FOUND)),
        Case("redirect-broken", "other items", outside=altered("/items/", text("plum", "plu"))),
    ],
    "docs": [
        Case("docs-unreachable", "/docs not routed", outside=instead("/docs", NOT_FOUND)),
        Case("docs-unreachable", "/redoc not routed", outside=instead("/redoc", NOT_FOUND)),
        Case("docs-unreachable", "another page", outside=instead("/docs", WELCOME)),
        Case("docs-unreachable", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("docs-unreachable", "names none", outside=altered("/docs", text("url:", "uri:"))),
        Case(
            "docs-unreachable",
            "ReDoc names none",
            outside=altered("/redoc", text("spec-url", "spec")),
        ),
        Case(
            "docs-unreachable",
            "OAuth2 redirect not routed",
            outside=instead("/docs/oauth2-redirect", NOT_FOUND),
        ),
        Case(
            "docs-unreachable",
            "names no OAuth2 redirect",
            outside=altered("/docs", text("oauth2RedirectUrl", "other")),
        ),
        Case(
            "docs-unreachable",
            "OAuth2 redirect on another port",
            outside=altered("/docs", text("oauth2RedirectUrl: window.location.origin + '", "':1")),
        ),
        Case("docs-openapi-404", "nobody told it (fastapi#15)", inside=unaware),
        Case("docs-openapi-404", "not routed", outside=instead("/openapi.json", NOT_FOUND)),
        Case(
            "docs-openapi-404",
            "another document",
            outside=instead("/openapi.json", JSONResponse({"openapi": "3.1.0"})),
        ),
        Case("docs-openapi-404", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case(
            "docs-openapi-404",
            "no OpenAPI",
            outside=altered("/openapi.json", text('"openapi"', '"swagger"')),
        ),
        Case(
            "docs-openapi-404",
            "ReDoc's only",
            outside=altered("/redoc", text("openapi.json", "openapi.yaml")),
        ),
        Case(
            "docs-openapi-404",
            "on another host",
            outside=altered("/docs", text("url: '", "url: 'https://cdn.example")),
        ),
    ],
    "servers": [
        Case("servers-wrong", "nobody told it", inside=unaware),
        Case("servers-wrong", "no document", outside=instead("/openapi.json", NOT_FOUND)),
        Case("servers-wrong", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case("servers-wrong", "operation not routed", outside=instead("/echo", NOT_FOUND)),
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
        Case(
            "mount-unreachable",
            "extra servers",
            outside=instead("/extra-servers/openapi.json", NOT_FOUND),
        ),
        Case(
            "mount-unreachable",
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
        Case("url-wrong-host", "upstream's Host", inside=host("app:8000")),
        Case("url-wrong-host", "upstream's Host, https", inside=host("app"), scheme=HTTPS),
        Case(
            "url-wrong-host",
            "url_for only",
            outside=altered("/scope", told(lambda _: {"url_for": "http://app:8000/app"})),
        ),
        Case(
            "url-wrong-host",
            "base_url only",
            outside=altered("/scope", told(lambda _: {"base_url": "http://app:8000/"})),
        ),
        Case("url-drops-port", "nginx $host", inside=portless),
        Case(
            "url-drops-port",
            "no number",
            outside=altered("/scope", told(lambda d: {"url": re.sub(r":\d+", ":None", d["url"])})),
        ),
        Case("url-wrong-scheme", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("url-wrong-scheme", "too much trust", inside=TOO_MUCH_TRUST),
        Case("url-drops-prefix", "nobody told it", inside=unaware),
        Case("url-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case(
            "url-drops-prefix",
            "url_for only",
            outside=altered("/scope", told(lambda d: {"url_for": d["url_for"].replace("v1/", "")})),
        ),
        Case("url-for-broken", "can't be asked", outside=instead("/scope", NOT_FOUND)),
        Case("url-for-broken", "query lost", inside=only("/scope", scoped(query_string=b""))),
        Case(
            "url-for-broken",
            "no such route (starlette#1416)",
            outside=altered("/scope", told(lambda _: {"url_for": None})),
        ),
        Case("url-for-broken", "leads to 404", outside=instead("/app", NOT_FOUND)),
    ],
    "mount": [
        Case("mount-unreachable", "not routed", outside=instead("/sub/app", NOT_FOUND)),
        Case("mount-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case("mount-unreachable", "another application", outside=by_another("/sub/app")),
        Case(
            "mount-unreachable",
            "the outer application",
            outside=altered("/sub/app", text("Hello Sub", "Hello World")),
        ),
        Case(
            "mount-unreachable",
            "the outer root_path",
            outside=altered("/sub/app", text(f"{PREFIX}/sub", PREFIX)),
        ),
        Case("mount-redirect-drops-prefix", "prefix", outside=location(PREFIX, "", "/sub/items")),
        Case("mount-redirect-drops-prefix", "mount", outside=location("/sub", "", "/sub/items")),
        Case(
            "mount-redirect-drops-prefix",
            "target 404",
            outside=instead("/sub/items/", NOT_FOUND),
        ),
        Case("redirect-wrong-host", "upstream's Host", inside=only("/sub/items", host("app:8000"))),
        Case("redirect-drops-port", "nginx $host", inside=only("/sub/items", portless)),
        Case(
            "redirect-wrong-scheme",
            "no trust",
            inside=only("/sub/items", NO_TRUST),
            scheme=HTTPS,
        ),
        Case("mount-docs-broken", "no /docs", outside=instead("/sub/docs", NOT_FOUND)),
        Case("mount-docs-broken", "no /redoc", outside=instead("/sub/redoc", NOT_FOUND)),
        Case("mount-docs-broken", "no OpenAPI", outside=instead("/sub/openapi.json", NOT_FOUND)),
        Case(
            "mount-docs-broken",
            "prefix lost",
            outside=altered("/sub/docs", text(f"'{PREFIX}/sub", "'/sub")),
        ),
    ],
    "static": [
        Case("static-unreachable", "not routed", outside=instead("/static/hello.txt", NOT_FOUND)),
        Case("static-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case(
            "static-unreachable",
            "another file",
            outside=altered("/static/hello.txt", text("Hello", "Goodbye")),
        ),
        Case(
            "static-unreachable",
            "at its own path alone",
            outside=all_of(
                instead("/static/hello.txt", NOT_FOUND),
                altered("/scope", text("static/hello", "static/x/../hello")),
            ),
        ),
        Case("static-unreachable", "no /scope", outside=instead("/scope", NOT_FOUND)),
        Case(
            "static-unreachable",
            "no URL",
            outside=altered("/scope", told(lambda _: {"static_url": None})),
        ),
        Case(
            "static-unreachable",
            "URL leads away",
            outside=altered("/scope", told(lambda _: {"static_url": "http://app/hello.txt"})),
        ),
        Case(
            "static-unreachable",
            "URL leads to 404",
            outside=altered("/scope", told(lambda d: {"static_url": d["static_url"] + "/no"})),
        ),
        Case(
            "static-unreachable",
            "URL leads elsewhere",
            outside=altered("/scope", told(lambda d: {"static_url": d["url_for"]})),
        ),
    ],
    "websocket": [
        Case("websocket-refused", "by the proxy", outside=instead("/ws", BAD_GATEWAY)),
        Case("websocket-refused", "not routed", outside=instead("/ws", no_websocket)),
        Case("websocket-refused", "in the mount", outside=instead("/sub/ws", BAD_GATEWAY)),
        Case("websocket-refused", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("websocket-refused", "only a label (starlette#2966)", inside=stripped),
        Case(
            "websocket-refused",
            "another application",
            outside=instead("/ws", websocket_saying('{"scheme": "ws", "root_path": "/api/v1"}')),
        ),
        Case(
            "websocket-refused",
            "closed without a word",
            outside=instead("/ws", InstanceMiddleware(websocket_saying(None))),
        ),
        Case(
            "websocket-refused",
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
        Case("unreachable", "no /scope", outside=instead("/scope", NOT_FOUND)),
        Case("scheme-wrong", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("scheme-wrong", "too much trust", inside=TOO_MUCH_TRUST),
        Case("host-wrong", "upstream's Host", inside=host("app:8000")),
        Case("host-wrong", "nginx $host", inside=portless),
        Case("host-wrong", "two", inside=host("mysuperapp.com", "app")),
        Case("host-wrong", "none", inside=host()),
        Case("client-is-proxy", "no trust", inside=scoped(client=("172.18.0.2", 4711))),
        Case("client-is-proxy", "Unix socket", inside=scoped(client=None)),
    ],
    "spoof": [
        Case("unreachable", "no /scope", outside=instead("/scope", NOT_FOUND)),
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
        Case("host-spoofable", "in redirects only", outside=redirects_as_told),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix is passed on",
            inside=all_of(unaware, lets_through("x-forwarded-prefix"), prefix_of_anybody),
        ),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix is passed on, and leads to no route",
            inside=all_of(lets_through("x-forwarded-prefix"), prefix_leads_away),
        ),
        Case("forwarded-passed-on", "X-Forwarded-For", inside=lets_through(FOR)),
        Case("forwarded-passed-on", "X-Forwarded-For, appended to", inside=appends),
        Case("forwarded-passed-on", "X-Forwarded-Proto", inside=lets_through(PROTO)),
        Case("forwarded-passed-on", "X-Forwarded-Host", inside=lets_through(HOST)),
        Case("forwarded-passed-on", "X-Forwarded-Port", inside=lets_through("x-forwarded-port")),
        Case("forwarded-passed-on", "X-Real-IP", inside=lets_through("x-real-ip")),
        Case("forwarded-passed-on", "Forwarded", inside=lets_through("forwarded")),
        Case("forwarded-passed-on", "underscores", inside=lets_through("x_real_ip")),
    ],
    "boundary": [
        Case("prefix-leaks", "sibling", outside=rewritten(f"{PREFIX}0/app", f"{PREFIX}/0/app")),
        Case("prefix-leaks", "sibling, another page", outside=instead("0/app", WELCOME)),
        Case("prefix-leaks", "no prefix", outside=rewritten("/app", f"{PREFIX}/app")),
        Case("prefix-leaks", "no prefix, another page", outside=at("/app", lambda _: WELCOME)),
        Case("prefix-leaks", "no prefix, 502", outside=at("/app", lambda _: BAD_GATEWAY)),
        Case("prefix-leaks", "dots, encoded", outside=keeps_encoded_dots),
        Case("prefix-leaks", "dots behind the prefix", outside=passes_dots_on),
        Case("prefix-leaks", "doubled", outside=rewritten(f"{PREFIX * 2}/app", f"{PREFIX}/app")),
        Case("prefix-leaks", "dots (proxy_pass without path)", outside=resolves_to_compare),
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
        Case("prefix-stripped-twice", "502", outside=instead(f"{PREFIX}/nested", BAD_GATEWAY)),
        Case("bare-prefix-broken", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("bare-prefix-broken", "404", outside=instead("", NOT_FOUND)),
        Case("bare-prefix-broken", "404 with slash", outside=instead("/", NOT_FOUND)),
        Case("bare-prefix-broken", "another page", outside=instead("/", WELCOME)),
        Case("bare-prefix-broken", "redirect to root", outside=instead("", RedirectResponse("/"))),
        Case(
            "bare-prefix-broken",
            "redirect to another port",
            outside=instead("", RedirectResponse("http://mysuperapp.com:8080/api/v1/", 301)),
        ),
        Case("path-altered", "decoded", inside=decoded),
        Case("path-altered", "lower case", inside=lower_case),
        Case("path-altered", "merged", inside=merged),
        Case("path-altered", "refused", outside=instead("/scope/a/b/café", BAD_GATEWAY)),
    ],
    "stream": [
        Case("stream-buffered", "until the end", outside=altered("/events")),
        Case("unreachable", "no events", outside=altered("/events", text("data", "d"))),
        Case(
            "unreachable", "one is lost", outside=altered("/events", text('data: {"number": 1', ""))
        ),
        Case("unreachable", "not routed", outside=instead("/events", NOT_FOUND)),
        Case("body-refused", "not routed", outside=instead("/echo", NOT_FOUND)),
        Case("body-refused", "another application", outside=by_another("/echo")),
        Case("body-refused", "too large", outside=instead("/echo", too_large)),
        Case("body-refused", "too large, https", outside=instead("/echo", too_large), scheme=HTTPS),
        Case("body-altered", "way there", inside=only("/echo", loses_a_byte)),
        Case("body-altered", "way back", outside=altered("/echo", text("a", "b"))),
        Case("body-altered", "cut short", outside=only("/echo", cut_short)),
    ],
}

TESTED_BELOW = {"boundary": {"tunnel-opened"}, "spoof": {"direct-spoofable"}}
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
        finding = stub.ask("spoof", direct=(LOOPBACK, port), source=LOOPBACK)

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
        finding = stub.ask("spoof", topology=topology, direct=(LOOPBACK, port), source=LOOPBACK)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.detail.endswith("; directly neither")


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
@pytest.mark.parametrize(
    ("trusted", "verdict"), [("127.0.0.9", Verdict.FAIL), (LOOPBACK, Verdict.PASS)]
)
def test_a_stranger_comes_from_the_client_s_address(
    stub: Stub, trusted: str, verdict: Verdict
) -> None:
    with listening(behind_proxy(plain.app, trusted)) as port:
        finding = stub.ask("spoof", direct=(LOOPBACK, port), source="127.0.0.9")

    assert finding.verdict is verdict, finding.detail


@pytest.mark.parametrize("missing", ["direct", "source"])
def test_without_an_address_of_its_own_nobody_is_asked_directly(stub: Stub, missing: str) -> None:
    with listening(uvicorn_trusts_all(plain.app)) as port:
        known: dict[str, Any] = {"direct": (LOOPBACK, port), "source": LOOPBACK, missing: None}
        finding = stub.ask("spoof", **known)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert "directly: not asked" in finding.detail


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


JUDGED = [name for name in CHECKS if name != "direct"]


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
def test_direct_records_what_the_guide_says(stub: Stub, scheme: Scheme) -> None:
    with listening(plain.app, root_path=PREFIX) as port:
        finding = stub.ask("direct", scheme, direct=(LOOPBACK, port))

    assert (finding.verdict, finding.symptom) == (Verdict.RECORDED, None)
    assert finding.detail == (
        '/app: 200 {"message":"Hello World","root_path":"/api/v1"}; its OpenAPI: 404'
    )


# --- the tables and the docstrings agree ---


def documented(check: Check) -> set[str]:
    """The symptoms that the docstring names after "Symptom:" or "Symptoms:"."""
    _, _, named = re.sub(r"Symptoms?:", "\0", inspect.getdoc(check) or "").partition("\0")
    return set(re.findall(r"`([a-z0-9-]+)`", named))


@pytest.mark.parametrize("check", CHECKS)
def test_every_documented_symptom_has_a_case_and_every_case_is_documented(check: str) -> None:
    tested = {case.symptom for case in CASES.get(check, [])} | TESTED_BELOW.get(check, set())

    assert tested == documented(CHECKS[check])


def test_every_check_but_direct_can_fail() -> None:
    assert list(CASES) == JUDGED


@pytest.mark.parametrize("check", CHECKS)
def test_docstrings_begin_with_the_question(check: str) -> None:
    assert (inspect.getdoc(CHECKS[check]) or "").splitlines()[0].endswith("?")


@pytest.mark.parametrize("check", CHECKS)
def test_every_symptom_in_the_source_is_documented(check: str) -> None:
    source = inspect.getsource(sys.modules[CHECKS[check].__module__])

    assert set(symptoms_in(ast.parse(source))) - documented(CHECKS[check]) == set()


def symptoms_in(tree: ast.Module) -> Iterator[str]:
    """Those that a check's module can raise, as far as they stand in it as constants."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("Failed") | ast.Attribute(attr="fail"), args=[first, *_]):
                yield from constants([first])
            case ast.Call(func=ast.Name("load_docs"), args=[_, _, *symptoms]):
                yield from constants(symptoms)
            case ast.Call(func=ast.Name("compare_urls"), args=[_, _, _, what, prefix]):
                yield from constants([prefix])
                for name in constants([what]):
                    yield from (f"{name}-{how}" for how in COMPARED)
            case ast.Call(func=ast.Attribute(attr="scope"), keywords=keywords):
                given = [keyword.value for keyword in keywords if keyword.arg == "symptom"]
                yield from constants(given) if given else ["unreachable"]
            case ast.Dict(values=values):
                yield from (c for c in constants(values) if c.endswith("-spoofable"))


COMPARED = ("wrong-host", "drops-port", "wrong-scheme")


def constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_source_is_read() -> None:
    """Else the test above proves nothing: what it finds is what the tables have, but for one."""
    for check in JUDGED:
        source = inspect.getsource(sys.modules[CHECKS[check].__module__])
        assert set(symptoms_in(ast.parse(source))) == documented(CHECKS[check])
