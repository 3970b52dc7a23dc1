"""How real servers give the peer, and what our two middlewares make of it."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import pytest
import uvicorn
from fastapi import FastAPI, Request
from hypercorn import Config

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn.proxy_fix import behind_proxy
from tests.unit.stub import Server


async def tells(scope: Any, receive: Any, send: Any) -> None:
    """Answers with scheme, client and root_path; a WebSocket is refused with them."""
    if scope["type"] == "lifespan":
        return
    await receive()
    kind = {"http": "http.response", "websocket": "websocket.http.response"}[scope["type"]]
    told = [scope["scheme"], scope["client"], scope["root_path"]]
    await send({"type": f"{kind}.start", "status": 403, "headers": []})
    await send({"type": f"{kind}.body", "body": json.dumps(told).encode()})


@contextmanager
def under_uvicorn(app: Any, sock: socket.socket) -> Iterator[None]:
    """As with --no-proxy-headers: what stands outside must see the peer."""
    server = Server(uvicorn.Config(app, proxy_headers=False, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def under_hypercorn(app: Any, sock: socket.socket) -> Iterator[None]:
    config = Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.errorlog = None
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        await hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


Under = Callable[[Any, socket.socket], Any]
every_server = pytest.mark.parametrize("under", [under_uvicorn, under_hypercorn])


def listening_at(where: str, folder: Path) -> tuple[socket.socket, Callable[[], socket.socket]]:
    """A socket for a server, and how a client reaches it."""
    if where == "unix":
        path = str(folder / "app.sock")
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)

        def connected() -> socket.socket:
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            return client
    else:
        bind, to = {
            "v4": ("127.0.0.1", "127.0.0.1"),
            "v6": ("::1", "::1"),
            "dual-stack": ("::", "127.0.0.1"),
        }[where]
        sock = socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET)
        if bind == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            sock.bind((bind, 0))
        except OSError as error:  # a container without IPv6
            sock.close()
            pytest.skip(f"{bind}: {error}")
        port = sock.getsockname()[1]

        def connected() -> socket.socket:
            return socket.create_connection((to, port), timeout=10)

    sock.listen()
    return sock, connected


def asked(client: socket.socket, *lines: str) -> Any:
    """The JSON of the answer to a request with these header lines."""
    request = "\r\n".join(["GET /x HTTP/1.1", "Host: app", *lines, "", ""])
    with client:
        client.sendall(request.encode("latin-1"))
        answer = b""
        while not answer.partition(b"\r\n\r\n")[2].rstrip(b"0\r\n").endswith(b"]"):
            received = client.recv(65536)
            assert received, answer
            answer += received
    body = answer.partition(b"\r\n\r\n")[2]
    return json.loads(body[body.index(b"[") : body.rindex(b"]") + 1])


FROM = ["X-Forwarded-For: spoof, [2001:db8::7]:555", "X-Forwarded-Proto: HTTPS"]
UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
]
CLOSE = ["Connection: close"]


@every_server
@pytest.mark.parametrize(
    ("where", "trusted", "other"),
    [
        ("v4", "127.0.0.5/24", "::1"),
        ("v6", "::1", "127.0.0.1"),
        ("dual-stack", "127.0.0.1", "::1"),
        ("unix", "unix:", "0.0.0.0/0, ::/0"),
    ],
)
def test_peers_of_real_servers(
    tmp_path: Path, under: Under, where: str, trusted: str, other: str
) -> None:
    prefixes = ["X-Forwarded-Prefix: /api", "X-Forwarded-Prefix: /v1"]
    client = ["2001:db8::7", 555]
    for believed in (True, False):
        who = trusted if believed else other
        folder = tmp_path / str(believed)
        folder.mkdir()
        sock, connected = listening_at(where, folder)
        app = ForwardedPrefixMiddleware(behind_proxy(tells, who), trusted=who)
        with under(app, sock):
            plain = asked(connected(), *CLOSE, *FROM, *prefixes)
            websocket = asked(connected(), *UPGRADE, *FROM, *prefixes)

        if believed:
            assert plain == ["https", client, "/api/v1"]
            assert websocket == ["wss", client, "/api/v1"]
        else:
            assert [plain[0], plain[2]] == ["http", ""]
            assert [websocket[0], websocket[2]] == ["ws", ""]
            assert client not in (plain[1], websocket[1])


@every_server
def test_a_refused_value_is_no_error_over_the_wire(tmp_path: Path, under: Under) -> None:
    sock, connected = listening_at("v4", tmp_path)
    bad = [
        "X-Forwarded-For: ",
        "X-Forwarded-Proto: javascript",
        "X-Forwarded-Prefix: //evil.example",
    ]
    app = ForwardedPrefixMiddleware(behind_proxy(tells, "*"), trusted="*")

    with under(app, sock):
        scheme, (host, port), root_path = asked(connected(), *CLOSE, *bad)

    assert (scheme, host, root_path) == ("http", "127.0.0.1", "")
    assert port


@every_server
def test_added_to_an_application_it_works_as_around_it(tmp_path: Path, under: Under) -> None:
    app = FastAPI()

    @app.get("/x")
    async def read(request: Request) -> list[Any]:
        return [str(request.url), request.client]

    app.add_middleware(behind_proxy, trusted="127.0.0.1", host=True)
    sock, connected = listening_at("v4", tmp_path)

    with under(app, sock):
        told = asked(connected(), *CLOSE, *FROM, "X-Forwarded-Host: mysuperapp.com:9499")

    assert told == ["https://mysuperapp.com:9499/x", ["2001:db8::7", 555]]
