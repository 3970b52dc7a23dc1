"""A request is asked as it was recorded, wherever the target listens now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from hoplab.client.probe import NotApplicable
from hoplab.client.target import Direct, Limits, Target, at
from hoplab.client.trace import Request, Trace, ask, request_of
from hoplab.client.wire import Exchange
from tests.unit.stub import LOOPBACK, Recorder, listening, recording

HEADERS = (("X-A", "b"), ("Forwarded", "for=x"))
LINES = b"X-A: b\r\nForwarded: for=x\r\n"


@contextmanager
def asked() -> Iterator[tuple[Target, Recorder]]:
    """A target below /api, whose uploads are small."""
    with recording() as recorder:
        target = at(f"http://{LOOPBACK}:{recorder.port}/api")
        yield replace(target, limits=Limits(upload=3)), recorder


@pytest.mark.parametrize(
    ("method", "length", "body"),
    [
        ("GET", b"", b""),
        ("HEAD", b"", b""),
        ("DELETE", b"", b""),
        ("OPTIONS", b"", b""),
        ("POST", b"Content-Length: 3\r\n", b"\0\0\0"),
        ("PUT", b"Content-Length: 3\r\n", b"\0\0\0"),
        ("PATCH", b"Content-Length: 3\r\n", b"\0\0\0"),
    ],
)
def test_what_is_asked_is_what_was_told(method: str, length: bytes, body: bytes) -> None:
    """The path is whole, with the prefix; a body is as large as the target's uploads."""
    request = Request(method, "/api/x?q=%2F", HEADERS)
    with asked() as (target, recorder):
        exchange = ask(target, request)

    host = f"Host: {LOOPBACK}:{recorder.port}\r\n".encode()
    head = f"{method} /api/x?q=%2F HTTP/1.1\r\n".encode() + host
    assert recorder.requests == [head + LINES + length + b"\r\n" + body]
    assert (exchange.method, exchange.status) == (method, 200)


def test_what_was_direct_is_asked_past_the_proxy() -> None:
    request = Request("GET", "/x?q=1", HEADERS, direct=True)
    with asked() as (target, proxy), recording() as application:
        exchange = ask(replace(target, direct=Direct((LOOPBACK, application.port), "")), request)

    host = f"Host: {LOOPBACK}:{application.port}\r\n".encode()
    assert application.requests == [b"GET /x?q=1 HTTP/1.1\r\n" + host + LINES + b"\r\n"]
    assert not proxy.requests
    assert exchange.url == f"http://{LOOPBACK}:{application.port}/x?q=1"


def test_past_the_proxy_nothing_is_asked_if_nobody_can_get_there() -> None:
    with asked() as (target, proxy), pytest.raises(NotApplicable, match="past the proxy"):
        ask(target, Request("GET", "/x", direct=True))

    assert not proxy.requests


def test_a_websocket_is_opened() -> None:
    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.send_text(f"{socket.url.path} {socket.headers['x-a']}")
        await socket.receive()

    with listening(telling) as port:
        exchange = ask(
            at(f"http://{LOOPBACK}:{port}/api"), Request("WEBSOCKET", "/api/ws", HEADERS)
        )

    assert (exchange.method, exchange.status) == ("WEBSOCKET", 101)
    assert exchange.url == f"ws://{LOOPBACK}:{port}/api/ws"
    assert exchange.body == b"/api/ws b"


@pytest.mark.parametrize(
    ("url", "path", "direct"),
    [
        ("https://mysuperapp.com:9499/api/x?q=1", "/api/x?q=1", False),
        ("http://127.0.0.1:8000/x", "/x", True),
        ("http://127.9.9.9:8000/x", "/x", True),
        ("http://x127.0.0.1.example/x", "/x", False),
        ("http://x:1/to?next=http://x:1/y", "/to?next=http://x:1/y", False),
        ("http://x", "", False),
    ],
)
def test_a_recorded_request_is_known_by_its_path_and_not_by_its_host(
    url: str, path: str, *, direct: bool
) -> None:
    sent = [("Host", "x"), ("X-A", "b"), ("content-length", "3"), ("X-A", "c")]

    assert request_of(Exchange("POST", url, sent)) == Request(
        "POST", path, (("X-A", "b"), ("X-A", "c")), direct
    )


def test_the_headers_of_a_handshake_are_its_own() -> None:
    sent = [("Host", "x"), ("Sec-WebSocket-Key", "abc"), ("X-A", "b")]

    assert request_of(Exchange("WEBSOCKET", "ws://x:1/api/ws", sent)) == Request(
        "WEBSOCKET", "/api/ws"
    )


def test_a_trace_has_the_scope_that_the_application_was_told() -> None:
    reached = Exchange("GET", "http://x/", (), 200, [("x-asgi-scope", '{"path": "/x"}')])
    missed = Exchange("GET", "http://x/", (), 502)

    assert Trace(reached).scope == {"path": "/x"}
    assert Trace(missed).scope is None
