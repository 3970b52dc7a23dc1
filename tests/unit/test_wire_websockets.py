"""The client's WebSocket handshakes, and what comes after them."""

import sys

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from hoplab.engines.certificates import Certificates
from hoplab.errors import EndedUnanswered, NoAnswer
from tests.unit.clients import client_of
from tests.unit.stub import listening, recording


async def websockets(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await PlainTextResponse("no WebSocket", 426)(scope, receive, send)
        return
    websocket = WebSocket(scope, receive, send)
    match scope["path"]:
        case "/accept":
            await websocket.accept(headers=[(b"x-instance", b"nonce")])
            await websocket.send_json(scope["scheme"])
            await websocket.receive()
        case "/bytes":
            await websocket.accept()
            await websocket.send_bytes(b"\xff\x00")
            await websocket.receive()
        case "/large":
            await websocket.accept()
            await websocket.send_bytes(bytes(2**20 + 1))
            await websocket.receive()
        case "/silent":
            await websocket.accept(headers=[(b"x-instance", b"nonce")])
            await websocket.close(4000, "nothing to say")
        case "/deny":
            response = PlainTextResponse("not you", 401, {"x-instance": "nonce"})
            await websocket.send_denial_response(response)
        case _:
            await websocket.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_websocket_accepted(certificates: Certificates, scheme: str) -> None:
    tls = {"ssl_certfile": certificates.certificate, "ssl_keyfile": certificates.key}
    with (
        listening(websockets, **(tls if scheme == "https" else {})) as port,
        client_of(port, certificates, scheme) as (client, origin),
    ):
        url = origin.replace("http", "ws", 1) + "/accept"
        exchange = client.websocket(url)

    assert exchange.status == 101
    assert exchange.json() == url[: url.index(":")]
    assert exchange.header("X-Instance") == "nonce"
    assert (exchange.method, exchange.url) == ("WEBSOCKET", url)
    assert client.exchanges == [exchange]


@pytest.mark.parametrize(
    ("path", "status", "header", "body"),
    [
        ("/bytes", 101, None, b"\xff\x00"),
        ("/large", 101, None, bytes(2**20 + 1)),
        ("/deny", 401, "nonce", b"not you"),
        ("/refuse", 403, None, b""),
    ],
)
def test_websocket_answers(
    certificates: Certificates, path: str, status: int, header: str | None, body: bytes
) -> None:
    with listening(websockets) as port, client_of(port, certificates) as (client, origin):
        exchange = client.websocket("ws" + origin[4:] + path)

    assert (exchange.status, exchange.header("X-Instance")) == (status, header)
    assert exchange.body == body


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
def test_websocket_sends_what_it_is_told_from_where_it_is_told(certificates: Certificates) -> None:
    told = []

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        told.append((scope["client"][0], websocket.headers["x-a"], scope["subprotocols"]))
        await websocket.accept("b" if scope["subprotocols"] else None)
        await websocket.send_text("hello")
        await websocket.receive()

    with (
        listening(telling) as port,
        client_of(port, certificates, source="127.0.0.9") as (client, origin),
        client.conversation("ws" + origin[4:], [("X-A", "b")], ["a", "b"]) as (talk, exchange),
    ):
        assert talk.receive() == "hello"
        sent = dict(exchange.sent)
        client.websocket("ws" + origin[4:], [("X-A", "c")])

    assert (sent["X-A"], sent["Sec-WebSocket-Protocol"]) == ("b", "a, b")
    assert told == [("127.0.0.9", "b", ["a", "b"]), ("127.0.0.9", "c", [])]


def test_websocket_closed_without_a_message(certificates: Certificates) -> None:
    with listening(websockets) as port, client_of(port, certificates) as (client, origin):
        exchange = client.websocket("ws" + origin[4:] + "/silent")

    assert exchange.status == 101
    assert b"nothing to say" in exchange.body


def test_websocket_handshake_that_is_none(certificates: Certificates) -> None:
    with (
        recording(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
        pytest.raises(NoAnswer, match=r"no HTTP response \(.*(Upgrade|Connection)") as caught,
    ):
        client.websocket("ws" + origin[4:])

    assert not isinstance(caught.value, EndedUnanswered)


def test_websocket_handshake_that_is_not_answered(certificates: Certificates) -> None:
    with (
        recording(b"", close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
        pytest.raises(EndedUnanswered, match=r"no HTTP response \(the connection was closed\)"),
    ):
        client.websocket("ws" + origin[4:])
