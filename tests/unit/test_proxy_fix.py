"""behind_proxy: what a trusted peer tells of client, scheme and Host, called and over the wire."""

import asyncio
import json
import socket
import subprocess
import sys
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
from app.granian import proxy_headers
from app.hypercorn.proxy_fix import behind_proxy
from tests.catalogue import ROOT
from tests.unit.stub import Server

PEER = ("172.18.0.2", 4711)
PROXIES = "172.18.0.0/16, 10.0.0.9, unix:"
SCHEMES = {"http": ("http", "https"), "websocket": ("ws", "wss")}

every_kind = pytest.mark.parametrize("kind", SCHEMES)


def seen(
    *headers: tuple[str, str], kind: str = "http", trusted: str = PROXIES, **changes: Any
) -> dict[str, Any]:
    """The scope that the wrapped application gets."""
    host = changes.pop("host", False)
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    async def nothing(*_: Any) -> None:
        pytest.fail("it neither receives nor sends")

    scope = {
        "type": kind,
        "scheme": SCHEMES[kind][0],
        "client": PEER,
        "headers": [(b"host", b"app:8000"), *((k.encode(), v.encode()) for k, v in headers)],
        **changes,
    }
    wrapped: Any = behind_proxy(app, trusted, host=host)
    asyncio.run(wrapped(scope, nothing, nothing))
    return scopes[0]


# --- the scheme ---


@pytest.mark.parametrize(
    ("sent", "http", "websocket"),
    [
        ([], "http", "ws"),
        (["http"], "http", "ws"),
        (["https"], "https", "wss"),
        (["HTTPS"], "https", "wss"),  # RFC 3986, 3.1
        (["ws"], "http", "ws"),
        (["wss"], "http", "wss"),  # of a WebSocket alone, as Traefik has it
        (["javascript"], "http", "ws"),
        (["https://"], "http", "ws"),
        (["httpss"], "http", "ws"),
        ([""], "http", "ws"),
        (["http, https"], "https", "wss"),  # the peer's own is the last
        (["https, http"], "http", "ws"),
        (["https,"], "https", "wss"),
        (["http", "https"], "https", "wss"),
        (["https", ""], "https", "wss"),
        (["https, javascript"], "http", "ws"),
        (["\xe9"], "http", "ws"),
    ],
)
def test_scheme(sent: list[str], http: str, websocket: str) -> None:
    headers = [("x-forwarded-proto", value) for value in sent]

    assert seen(*headers)["scheme"] == http
    assert seen(*headers, kind="websocket")["scheme"] == websocket
    assert seen(*headers, trusted="*")["scheme"] == http


def test_a_secure_connection_to_the_server_is_what_it_is() -> None:
    assert seen(("x-forwarded-proto", "javascript"), scheme="https")["scheme"] == "https"
    assert seen(("x-forwarded-proto", "http"), scheme="https")["scheme"] == "http"


# --- the client ---


@every_kind
@pytest.mark.parametrize(
    ("sent", "client"),
    [
        pytest.param(["192.0.2.7"], ("192.0.2.7", 0), id="v4"),
        pytest.param(["192.0.2.7:555"], ("192.0.2.7", 555), id="v4-port"),
        pytest.param(["2001:db8::7"], ("2001:db8::7", 0), id="v6"),
        pytest.param(["[2001:db8::7]"], ("2001:db8::7", 0), id="v6-brackets"),
        pytest.param(["[2001:db8::7]:555"], ("2001:db8::7", 555), id="v6-port"),
        pytest.param(["2001:DB8:0::0007"], ("2001:db8::7", 0), id="v6-one-spelling"),
        pytest.param(["::ffff:192.0.2.7"], ("192.0.2.7", 0), id="v6-mapped"),
        pytest.param(["spoof, 192.0.2.7"], ("192.0.2.7", 0), id="right-of-invention"),
        pytest.param(["192.0.2.1, 192.0.2.7"], ("192.0.2.7", 0), id="rightmost"),
        pytest.param(["192.0.2.1, 192.0.2.7, 10.0.0.9"], ("192.0.2.7", 0), id="past-trusted"),
        pytest.param(["192.0.2.7, [::ffff:10.0.0.9]:80"], ("192.0.2.7", 0), id="past-mapped"),
        pytest.param(["192.0.2.7", "10.0.0.9:80,172.18.9.9"], ("192.0.2.7", 0), id="past-lines"),
        pytest.param(["192.0.2.7, unix:"], ("192.0.2.7", 0), id="past-unix"),
        pytest.param(["10.0.0.9, 172.18.0.7"], ("10.0.0.9", 0), id="all-trusted"),
        pytest.param(["unix:"], PEER, id="only-unix"),
        pytest.param(["192.0.2.7,"], ("192.0.2.7", 0), id="empty-item"),
        pytest.param(["192.0.2.7", ""], ("192.0.2.7", 0), id="empty-line"),
        pytest.param([" ,\t192.0.2.7 , "], ("192.0.2.7", 0), id="blanks"),
        pytest.param([""], PEER, id="empty"),
        pytest.param([" , "], PEER, id="empty-items"),
        pytest.param([], PEER, id="absent"),
        pytest.param(["unknown"], PEER, id="unknown"),
        pytest.param(["192.0.2.1, unknown"], PEER, id="left-of-unknown"),
        pytest.param(["192.0.2.1, x, 10.0.0.9"], ("10.0.0.9", 0), id="left-of-invalid"),
        pytest.param(["_hidden"], PEER, id="obfuscated"),
        pytest.param(["localhost"], PEER, id="name"),
        pytest.param(["192.0.2.7:"], PEER, id="no-port"),
        pytest.param(["192.0.2.7:http"], PEER, id="port-name"),
        pytest.param(["192.0.2.7:65536"], PEER, id="port-too-large"),
        pytest.param(["192.0.2.7:-1"], PEER, id="port-negative"),
        pytest.param(["[192.0.2.7]:80"], PEER, id="v4-in-brackets"),
        pytest.param(["[2001:db8::7"], PEER, id="half-brackets"),
        pytest.param(["[2001:db8::7]80"], PEER, id="no-colon"),
        pytest.param(["[]:80"], PEER, id="empty-brackets"),
        pytest.param(["192.0.2.256"], PEER, id="byte-too-large"),
        pytest.param(["192.0.2"], PEER, id="three-bytes"),
        pytest.param(["fe80::1%<script>"], PEER, id="zone"),
        pytest.param(["192.0.2.7\x00"], PEER, id="null"),
        pytest.param(['"192.0.2.7"'], PEER, id="quoted"),
        pytest.param(["\u0661.1.1.1"], PEER, id="other-digits"),
    ],
)
def test_client(kind: str, sent: list[str], client: tuple[str, int]) -> None:
    assert seen(*(("x-forwarded-for", value) for value in sent), kind=kind)["client"] == client


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        pytest.param("*", "10.0.0.9", id="everybody: what the peer wrote"),
        pytest.param("*, 10.0.0.9", "192.0.2.7", id="everybody, and past this proxy"),
        pytest.param("172.18.0.2", "10.0.0.9", id="the nearest alone"),
        pytest.param("172.18.0.2, 10.0.0.5/24", "192.0.2.7", id="both of two"),
    ],
)
def test_client_behind_two_proxies(trusted: str, client: str) -> None:
    sent = ("x-forwarded-for", "203.0.113.1, 192.0.2.7, 10.0.0.9")

    assert seen(sent, trusted=trusted)["client"] == (client, 0)


@pytest.mark.parametrize("name", ["x-forwarded-for", "X-Forwarded-For"])
def test_name_in_any_case(name: str) -> None:
    assert seen((name, "192.0.2.7"))["client"] == ("192.0.2.7", 0)


@pytest.mark.parametrize("name", ["x_forwarded_for", "x-real-ip", "forwarded", "x-forwarded-by"])
def test_other_headers_say_nothing(name: str) -> None:
    assert seen((name, "192.0.2.7"))["client"] == PEER


# --- the Host ---


def hosts(scope: dict[str, Any]) -> list[bytes]:
    return [value for name, value in scope["headers"] if name.lower() == b"host"]


@every_kind
@pytest.mark.parametrize(
    ("sent", "host"),
    [
        (["mysuperapp.com"], "mysuperapp.com"),
        (["mysuperapp.com:9499"], "mysuperapp.com:9499"),
        (["192.0.2.7:80"], "192.0.2.7:80"),
        (["[2001:db8::7]:80"], "[2001:db8::7]:80"),
        (["evil.example, mysuperapp.com"], "mysuperapp.com"),
        (["evil.example", "mysuperapp.com"], "mysuperapp.com"),
        ([], "app:8000"),
        ([""], "app:8000"),
        (["a b"], "app:8000"),
        (["user@evil.example"], "app:8000"),
        (["evil.example/x"], "app:8000"),
        (["evil.example?x"], "app:8000"),
        (["evil.example:x"], "app:8000"),
        (["caf\xe9.example"], "app:8000"),
    ],
)
def test_host_if_asked_for(kind: str, sent: list[str], host: str) -> None:
    headers = [("x-forwarded-host", value) for value in sent]

    assert hosts(seen(*headers, kind=kind, host=True)) == [host.encode()]
    assert hosts(seen(*headers, kind=kind)) == [b"app:8000"]


# --- who is believed ---


@every_kind
@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        pytest.param("172.18.0.2", "172.18.0.2", True, id="address"),
        pytest.param("172.18.0.5/16", "172.18.0.2", True, id="network-with-host-bits"),
        pytest.param("172.18.0.0/16", "::ffff:172.18.0.2", True, id="mapped"),
        pytest.param("localhost, 172.18.0.2", "172.18.0.2", True, id="beside-a-name"),
        pytest.param("unix:", None, True, id="unix"),
        pytest.param("unix:", "", True, id="unix-empty"),
        pytest.param("*", None, True, id="everybody"),
        pytest.param("", "127.0.0.1", False, id="nobody"),
        pytest.param("localhost", "127.0.0.1", False, id="name"),
        pytest.param("172.18.0.2", "172.18.0.3", False, id="stranger"),
        pytest.param("0.0.0.0/0, ::/0", None, False, id="unix-unnamed"),
    ],
)
def test_only_a_proxy_is_believed(
    kind: str, trusted: str, peer: str | None, *, believed: bool
) -> None:
    given = None if peer is None else (peer, 4711)
    headers = [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "mysuperapp.com"),
    ]

    scope = seen(*headers, kind=kind, trusted=trusted, client=given, host=True)

    assert scope["scheme"] == SCHEMES[kind][believed]
    assert scope["client"] == (("192.0.2.7", 0) if believed else given)
    assert hosts(scope) == [b"mysuperapp.com" if believed else b"app:8000"]


# --- the scope ---


class Uncopyable:
    """A lock or a connection pool, which an outer layer put into the scope."""

    def __deepcopy__(self, _: Any) -> None:
        raise TypeError("can't be copied")


@pytest.mark.parametrize("trusted", ["172.18.0.0/16", "127.0.0.1"])
def test_what_others_put_into_the_scope_stays_itself(trusted: str) -> None:
    pool = Uncopyable()
    state = {"pool": pool}

    scope = seen(("x-forwarded-for", "192.0.2.7"), trusted=trusted, state=state, pool=pool)

    assert scope["state"] is state
    assert scope["pool"] is pool


@pytest.mark.parametrize("trusted", ["172.18.0.0/16", "127.0.0.1"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_given_scope_is_never_changed(trusted: str, kind: str) -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-host", b"x"), (b"host", b"app")]
    scope = {"type": kind, "scheme": "http", "client": PEER, "headers": headers}
    before = {**scope, "headers": list(headers)}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope["route"] = "written by Starlette"

    wrapped: Any = behind_proxy(app, trusted, host=True)
    asyncio.run(wrapped(scope, app, app))

    assert scope == before


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_what_uvicorn_takes_in_the_variable_is_no_error_at_import(server: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import app.{server}.forwarded_prefix"],
        env={"FORWARDED_ALLOW_IPS": "localhost, unix:, 10.0.0.5/24,"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "trusted 'localhost' is no IP address" in run.stderr


@pytest.mark.parametrize(
    ("peer", "believed"), [("10.0.0.9", True), ("localhost", True), ("10.0.1.9", False)]
)
def test_granian_s_wrapper_gets_networks_without_host_bits(peer: str, *, believed: bool) -> None:
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    wrapped: Any = proxy_headers.behind_proxy(app, "localhost, unix:, 10.0.0.5/24,")
    headers = [(b"x-forwarded-for", b"192.0.2.7")]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    asyncio.run(wrapped(scope, app, app))

    assert scopes[0]["client"] == (("192.0.2.7", 0) if believed else (peer, 1))


# --- over the wire: how servers give the peer ---


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
