"""The client puts on the wire what it was told, octet by octet, and records what came back."""

import asyncio
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from hoplab.client import sending
from hoplab.client.sending import CHUNKED, EXPECT
from hoplab.client.wire import Client, Connections, Exchange, as_sent
from hoplab.engines.certificates import Certificates, ensure
from hoplab.errors import EndedUnanswered, HarnessError, NoAnswer
from tests.unit.stub import LOOPBACK, OK, Recorder, accepting, closed_port, listening, recording

NAME = "mysuperapp.com"


@contextmanager
def client_of(
    port: int,
    certificates: Certificates,
    scheme: str = "http",
    source: str | None = None,
    seconds: float = 15.0,
) -> Iterator[tuple[Client, str]]:
    """A client that knows one origin, and that origin."""
    origin = f"{scheme}://{NAME}:{port}"
    client = Client({origin: (LOOPBACK, port)}, certificates.authority, source, seconds=seconds)
    try:
        yield client, origin
    finally:
        client.close()


@pytest.fixture
def asked(certificates: Certificates) -> Iterator[tuple[Recorder, Client, str]]:
    with recording() as recorder, client_of(recorder.port, certificates) as (client, origin):
        yield recorder, client, origin


# --- what is sent ---


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/a%2Fb", b"/a%2Fb"),
        ("//x", b"//x"),
        ("///", b"///"),
        ("/%C3%A9", b"/%C3%A9"),
        ("/%c3%a9", b"/%c3%a9"),
        ("/a/../b/./c", b"/a/../b/./c"),
        ("/a;b=c", b"/a;b=c"),
        ("/?q=a%20b+c&&=", b"/?q=a%20b+c&&="),
        ("/x?", b"/x?"),
        ("", b"/"),
    ],
)
def test_path_is_sent_as_it_stands(
    asked: tuple[Recorder, Client, str], target: str, sent: bytes
) -> None:
    recorder, client, origin = asked

    client.request("GET", origin + target)

    host = origin.removeprefix("http://").encode()
    assert recorder.requests == [b"GET " + sent + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param("/api/v1/docs", "/api/v1/docs", id="nothing to encode"),
        pytest.param("/café/😀", "/caf%C3%A9/%F0%9F%98%80", id="not ASCII"),
        pytest.param("/{item}", "/%7Bitem%7D", id="curly brackets"),
        pytest.param('/a b"<c>`', "/a%20b%22%3Cc%3E%60", id="blank, quote, angles, backtick"),
        pytest.param("/", "/%01%7F", id="control characters"),
        pytest.param("/caf%C3%A9/%7Bx%7D", "/caf%C3%A9/%7Bx%7D", id="encoded already"),
        pytest.param("/%c3%a9é%2F%", "/%c3%a9%C3%A9%2F%", id="encoded in part"),
        pytest.param(
            "http://x:1/a?q=é&r=[1]#é", "http://x:1/a?q=%C3%A9&r=[1]#%C3%A9", id="a whole URL"
        ),
        pytest.param("/!$&'()*+,;=:@-._~[]|", "/!$&'()*+,;=:@-._~[]|", id="what stays"),
    ],
)
def test_a_url_is_sent_as_a_browser_sends_it(given: str, sent: str) -> None:
    assert as_sent(given) == sent
    assert as_sent(sent) == sent


def test_headers_are_sent_as_they_stand(asked: tuple[Recorder, Client, str]) -> None:
    recorder, client, origin = asked
    headers = [
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-For", "192.0.2.8"),
        ("x-fORWARDED-pROTO", "https"),
        ("X_Forwarded_Host", "canary.invalid"),
        ("X-Empty", ""),
    ]

    exchange = client.request("GET", f"{origin}/", headers)

    lines = recorder.requests[0].decode().split("\r\n")
    assert lines[2:] == [*(f"{name}: {value}" for name, value in headers), "", ""]
    assert exchange.sent[1:] == headers


def test_options_of_no_path_is_about_the_server(asked: tuple[Recorder, Client, str]) -> None:
    """RFC 9112, 3.2.4."""
    recorder, client, origin = asked

    client.request("OPTIONS", origin)
    client.request("OPTIONS", f"{origin}/")
    client.request("GET", origin)

    lines = [request.partition(b"\r\n")[0] for request in recorder.requests]
    assert lines == [b"OPTIONS * HTTP/1.1", b"OPTIONS / HTTP/1.1", b"GET / HTTP/1.1"]


def test_body_is_sent_with_its_length(asked: tuple[Recorder, Client, str]) -> None:
    recorder, client, origin = asked

    client.request("POST", f"{origin}/echo", body=b"\x00\xff\r\n")
    client.request("POST", f"{origin}/echo", body=b"")

    assert recorder.requests[0].endswith(b"\r\nContent-Length: 4\r\n\r\n\x00\xff\r\n")
    assert recorder.requests[1].endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
def test_source_is_the_address_that_it_connects_from(certificates: Certificates) -> None:
    with (
        recording() as recorder,
        client_of(recorder.port, certificates, source="127.0.0.9") as (client, origin),
    ):
        client.request("GET", origin)

    assert [host for host, _ in recorder.connections] == ["127.0.0.9"]


# --- TLS ---


def test_https_names_the_public_host_in_sni_and_host(certificates: Certificates) -> None:
    with (
        recording(certificates=certificates) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
    ):
        exchange = client.request("GET", f"{origin}/x")

    assert (exchange.status, exchange.body) == (200, b"OK")
    assert recorder.server_names == [NAME]
    assert f"Host: {NAME}:{recorder.port}\r\n".encode() in recorder.requests[0]


def test_unknown_authority_is_refused(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = ensure(tmp_path_factory.mktemp("others") / "certificates")
    with (
        recording(certificates=others) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
        pytest.raises(HarnessError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.request("GET", f"{origin}/secret")

    assert recorder.requests == []


def test_certificate_of_another_name_is_refused(certificates: Certificates) -> None:
    with recording(certificates=certificates) as recorder:
        origin = f"https://canary.invalid:{recorder.port}"
        client = Client({origin: (LOOPBACK, recorder.port)}, certificates.authority)
        with pytest.raises(HarnessError, match=r"not valid for 'canary\.invalid'"):
            client.request("GET", origin)

    assert recorder.requests == []


def test_websocket_refuses_an_unknown_authority(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = ensure(tmp_path_factory.mktemp("others") / "certificates")
    with (
        recording(certificates=others) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
        pytest.raises(HarnessError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.websocket("wss" + origin.removeprefix("https"))

    assert recorder.requests == []


# --- whom it asks ---


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1/",
        "https://mysuperapp.com:1/",
        "http://mysuperapp.com:2/",
        "http://user@mysuperapp.com:1/",
    ],
)
def test_unknown_origin_is_never_asked(certificates: Certificates, url: str) -> None:
    client = Client({"http://mysuperapp.com:1": (LOOPBACK, 1)}, certificates.authority)

    with pytest.raises(HarnessError, match="is not an origin of this topology"):
        client.request("GET", url)
    with pytest.raises(HarnessError, match="is not an origin of this topology"):
        client.websocket("ws" + url.removeprefix("http"))


def test_redirects_are_not_followed(certificates: Certificates) -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with (
        recording(moved) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        exchange = client.request("GET", f"{origin}/here")

    assert (exchange.status, exchange.header("LOCATION")) == (307, "/there")
    assert len(recorder.requests) == 1
    assert str(exchange) == f"GET {origin}/here → 307 /there"


# --- bodies ---


class Upload:
    """Takes one request's head and then its body, piece by piece, and answers at its end.

    interim: what it says between the two. pieces: what came at once, and when.
    """

    def __init__(self, end: bytes, interim: bytes = b"") -> None:
        self.end = end
        self.interim = interim
        self.head = b""
        self.pieces: list[tuple[float, bytes]] = []

    def talk(self, connection: socket.socket) -> None:
        with connection:
            while b"\r\n\r\n" not in self.head:
                self.head += connection.recv(1)
            time.sleep(0.05)  # whether it waits for the interim answer
            connection.settimeout(0)
            with suppress(BlockingIOError):
                self.receive(connection)
            connection.settimeout(10)
            connection.sendall(self.interim)
            while not self.body.endswith(self.end):
                self.receive(connection)
            connection.sendall(OK)

    def receive(self, connection: socket.socket) -> None:
        piece = connection.recv(2**16)
        self.pieces.append((time.monotonic(), piece))

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


def uploaded(
    certificates: Certificates,
    upload: Upload,
    headers: Sequence[tuple[str, str]],
    body: bytes | list[bytes],
) -> None:
    with accepting(upload.talk) as port, client_of(port, certificates) as (client, origin):
        assert client.request("POST", f"{origin}/echo", headers, body).body == b"OK"


def test_body_is_sent_in_chunks(certificates: Certificates) -> None:
    upload = Upload(b"0\r\n\r\n")
    uploaded(certificates, upload, [CHUNKED], b"hello")

    assert b"\r\nTransfer-Encoding: chunked\r\n" in upload.head
    assert b"Content-Length" not in upload.head
    assert upload.body == b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "told", "came"),
    [
        ([CHUNKED], b"\r\nTransfer-Encoding: chunked\r\n", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        ([], b"\r\nContent-Length: 5\r\n", b"hello"),
    ],
)
def test_pieces_are_sent_with_a_pause_before_each(
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    headers: list[tuple[str, str]],
    told: bytes,
    came: bytes,
) -> None:
    monkeypatch.setattr(sending, "_PAUSE", 0.2)
    upload = Upload(came[-5:])
    uploaded(certificates, upload, headers, [b"he", b"llo"])

    assert told in upload.head
    assert upload.body == came
    [first, second] = [
        next(at for at, piece in upload.pieces if word in piece) for word in (b"he", b"llo")
    ]
    assert second - first > 0.1


def test_body_waits_for_100_continue(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_WAIT_FOR_CONTINUE", 30)
    upload = Upload(b"hello", b"HTTP/1.1 100 Continue\r\n\r\n")
    before = time.monotonic()
    uploaded(certificates, upload, [EXPECT], b"hello")

    assert b"\r\nExpect: 100-continue\r\n" in upload.head
    assert [piece for _, piece in upload.pieces] == [b"hello"]
    assert time.monotonic() - before < 10


def test_body_waits_for_100_continue_not_for_ever(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110, 10.1.1."""
    monkeypatch.setattr(sending, "_WAIT_FOR_CONTINUE", 0.3)
    upload = Upload(b"hello")
    before = time.monotonic()
    uploaded(certificates, upload, [EXPECT], b"hello")

    assert [piece for _, piece in upload.pieces] == [b"hello"]
    assert 0.25 < upload.pieces[0][0] - before < 10


# --- connections that are left, and requests in a row ---


class Endless:
    """A stream that goes on: what it was asked, and whether the client has left.

    pieces: of the body, 0.1 s apart.
    """

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.heads: list[bytes] = []
        self.left = threading.Event()

    def talk(self, connection: socket.socket) -> None:
        with connection:
            self.heads.append(connection.recv(2**16))
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n" + self.pieces[0])
            for piece in self.pieces[1:]:
                time.sleep(0.1)
                connection.sendall(piece)
            if not connection.recv(1):
                self.left.set()


def test_a_stream_is_left(certificates: Certificates) -> None:
    """Over a connection of its own: nothing else can be asked there."""
    endless = Endless(b"first")
    with accepting(endless.talk) as port, client_of(port, certificates) as (client, origin):
        exchange = client.leave(f"{origin}/endless?a=b")
        assert endless.left.wait(5)
        again = client.leave(f"{origin}/endless?a=b")

    host = origin.removeprefix("http://")
    assert endless.heads[0] == f"GET /endless?a=b HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert (exchange.method, exchange.url) == ("GET", f"{origin}/endless?a=b")
    assert (exchange.status, exchange.header("X-A")) == (200, "b")
    assert exchange.body == b"first"
    assert exchange.sent == [("Host", host)]
    assert client.exchanges == [exchange, again]


def test_what_nobody_answers_is_named(certificates: Certificates) -> None:
    with client_of(closed_port(), certificates) as (client, origin):
        with pytest.raises(NoAnswer, match=f"GET {origin}/a: no answer"):
            client.leave(f"{origin}/a")
        with pytest.raises(NoAnswer, match=f"GET {origin}/2: no answer"):
            client.pipelined([f"{origin}/0", f"{origin}/1", f"{origin}/2"])


def test_requests_in_a_row_do_not_wait_for_answers(certificates: Certificates) -> None:
    heads = b""

    def answers_both(connection: socket.socket) -> None:
        nonlocal heads
        with connection:
            while heads.count(b"\r\n\r\n") < 2:
                heads += connection.recv(2**16)
            for body in (b"one", b"three"):
                head = b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (200, len(body))
                connection.sendall(head + body)

    with accepting(answers_both) as port, client_of(port, certificates) as (client, origin):
        client.exchanges.append(earlier := Exchange("GET", origin, ()))
        exchanges = client.pipelined([f"{origin}/1", f"{origin}/2?a"])

    host = origin.removeprefix("http://")
    assert heads == b"".join(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in ("/1", "/2?a")
    )
    assert [each.body for each in exchanges] == [b"one", b"three"]
    assert [each.status for each in exchanges] == [200, 200]
    assert [each.header("content-length") for each in exchanges] == ["3", "5"]
    assert [(each.method, each.url) for each in exchanges] == [
        ("GET", f"{origin}/1"),
        ("GET", f"{origin}/2?a"),
    ]
    assert {tuple(each.sent) for each in exchanges} == {(("Host", host),)}
    assert client.exchanges == [earlier, *exchanges]


# --- connections ---


def test_connection_is_kept(asked: tuple[Recorder, Client, str]) -> None:
    recorder, client, origin = asked

    for _ in range(3):
        client.request("GET", origin)

    assert (len(recorder.requests), len(recorder.connections)) == (3, 1)


def test_connection_that_the_server_closes_is_opened_again(certificates: Certificates) -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with (
        recording(last, close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        answers = [client.request("GET", origin).status for _ in range(3)]

    assert (answers, len(recorder.connections)) == ([200, 200, 200], 3)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connection_that_the_server_closed_without_a_word_is_opened_again(
    certificates: Certificates, scheme: str
) -> None:
    """As Uvicorn does after an exception, and any server after its keep-alive timeout."""
    tls = certificates if scheme == "https" else None
    with (
        recording(OK, close=True, certificates=tls) as recorder,
        client_of(recorder.port, certificates, scheme) as (client, origin),
    ):
        answers = [client.request("POST", origin, body=bytes(2**16)).status for _ in range(3)]

    assert (answers, len(recorder.connections)) == ([200, 200, 200], 3)
    assert len(client.exchanges) == 3


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "Remote end closed connection without response"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH-2.0"),
    ],
)
def test_no_http_response_is_our_own_trouble(
    certificates: Certificates, answer: bytes, why: str
) -> None:
    with (
        recording(answer, close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
        pytest.raises(HarnessError, match=why) as caught,
    ):
        client.request("GET", origin)

    assert f"GET {origin}: no answer (" in str(caught.value)
    assert client.exchanges[0].status == 0


def test_client_works_again_after_trouble(certificates: Certificates) -> None:
    with (
        recording(b"nonsense\r\n", OK, close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        with pytest.raises(HarnessError):
            client.request("GET", origin)
        assert client.request("GET", origin).status == 200


@pytest.mark.parametrize("ask", [Client.request, Client.websocket], ids=["http", "websocket"])
def test_refused_connection_is_our_own_trouble(
    certificates: Certificates, ask: Callable[..., Exchange]
) -> None:
    with client_of(closed_port(), certificates) as (client, origin):
        arguments = ["GET", origin] if ask is Client.request else ["ws" + origin[4:]]
        with pytest.raises(HarnessError, match=r"Connection refused|Connect call failed"):
            ask(client, *arguments)

    assert len(client.exchanges) == 1


def test_silence_is_our_own_trouble(certificates: Certificates) -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as silent,
        client_of(silent.getsockname()[1], certificates, seconds=0.1) as (client, origin),
    ):
        with pytest.raises(HarnessError, match="no answer"):
            client.request("GET", origin)
        with pytest.raises(HarnessError, match="no answer"):
            client.websocket("ws" + origin[4:])


def test_answer_that_is_cut_short_is_what_came(certificates: Certificates) -> None:
    with (
        recording(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", OK, close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        cut, next_one = client.request("GET", origin), client.request("GET", origin)

    assert (cut.status, cut.body, cut.cut) == (200, b"half", True)
    assert (next_one.body, next_one.cut) == (b"OK", False)


def test_answer_that_comes_before_the_body_is_sent_is_read(certificates: Certificates) -> None:
    def refuse() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")

    with (
        socket.create_server((LOOPBACK, 0)) as server,
        client_of(server.getsockname()[1], certificates) as (client, origin),
    ):
        thread = threading.Thread(target=refuse)
        thread.start()
        exchange = client.request("POST", origin, body=bytes(2**24))
        thread.join()

    assert exchange.status == 413


# --- connections ---


@pytest.mark.parametrize(
    ("sources", "shared", "count"),
    [
        pytest.param((None, None), True, 1, id="shared"),
        pytest.param((None, None), False, 2, id="not given"),
        pytest.param((None, LOOPBACK), True, 2, id="from another address"),
        pytest.param((LOOPBACK, LOOPBACK), True, 1, id="from the same address"),
    ],
)
def test_clients_share_the_connections_that_they_are_given(
    certificates: Certificates, sources: tuple[str | None, ...], *, shared: bool, count: int
) -> None:
    connections: Connections | None = {} if shared else None
    peers = set()

    async def peer(scope: Scope, receive: Receive, send: Send) -> None:
        peers.add(scope["client"])
        await PlainTextResponse("well")(scope, receive, send)

    with listening(peer) as port:
        origin = f"http://{NAME}:{port}"
        clients = [
            Client({origin: (LOOPBACK, port)}, certificates.authority, source, connections)
            for source in sources
        ]
        for client in clients:
            client.request("GET", origin)
        for client in clients:
            client.close()

    assert len(peers) == count
    assert [len(client.exchanges) for client in clients] == [1, 1]


# --- streams ---


async def ticking(scope: Scope, receive: Receive, send: Send) -> None:
    """Two events, 0.2 s apart."""
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(2):
        await send(
            {"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True}
        )
        if scope["path"] == "/endless":
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if number == 0:
            await asyncio.sleep(0.2)
    await send({"type": "http.response.body"})


def test_stream_records_when_each_line_arrived(certificates: Certificates) -> None:
    with listening(ticking) as port, client_of(port, certificates) as (client, origin):
        exchange = client.request("GET", f"{origin}/", stream=True)

    (first, one), _, (second, two), _ = exchange.chunks
    assert (one, two) == (b"data: 0\n", b"data: 1\n")
    assert exchange.body == b"data: 0\n\ndata: 1\n\n"
    assert second - first > 0.1
    assert abs(time.time() - second) < 60, "not seconds since the epoch"


def test_a_stream_that_is_cut_says_so(certificates: Certificates) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        recording(head + b"8\r\ndata: 0\n\r\n8\r\nda", close=True) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        exchange = client.request("GET", origin, stream=True)

    assert exchange.cut is True
    assert exchange.body.startswith(b"data: 0\n")


def test_something_else_can_be_asked_after_a_stream(certificates: Certificates) -> None:
    async def short(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no events", 404)(scope, receive, send)

    with listening(short) as port, client_of(port, certificates) as (client, origin):
        statuses = [client.request("GET", origin, stream=stream).status for stream in (True, False)]

    assert statuses == [404, 404]


def test_endless_stream_is_not_read_unless_wanted(certificates: Certificates) -> None:
    with listening(ticking) as port, client_of(port, certificates) as (client, origin):
        exchange = client.request("GET", f"{origin}/endless")
        again = client.request("GET", f"{origin}/endless")

    assert (exchange.status, exchange.body, exchange.chunks) == (200, b"", [])
    assert again.status == 200


def test_a_stream_is_listened_to_for_so_long(certificates: Certificates) -> None:
    """Without an end: what comes by then, over a connection of its own."""
    endless = Endless(b"first", b"second")
    before = time.monotonic()
    with accepting(endless.talk) as port, client_of(port, certificates) as (client, origin):
        exchange = client.listen(f"{origin}/events?a", 0.4)
        assert endless.left.wait(5)

    host = origin.removeprefix("http://")
    assert endless.heads == [f"GET /events?a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()]
    assert 0.3 < time.monotonic() - before < 5
    assert (exchange.method, exchange.url) == ("GET", f"{origin}/events?a")
    assert (exchange.status, exchange.header("X-A"), exchange.cut) == (200, "b", False)
    assert exchange.sent == [("Host", host)]
    assert exchange.body == b"firstsecond"
    [(first, _), (second, _)] = exchange.chunks
    assert second - first > 0.05
    assert client.exchanges == [exchange]


def test_what_nobody_lets_listen_is_named(certificates: Certificates) -> None:
    with (
        client_of(closed_port(), certificates) as (client, origin),
        pytest.raises(NoAnswer, match=f"GET {origin}/a: no answer"),
    ):
        client.listen(f"{origin}/a", 1)


def test_of_a_large_answer_the_beginning_is_read(certificates: Certificates) -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"
    with recording(large) as recorder, client_of(recorder.port, certificates) as (client, origin):
        client.most = 4
        cut = client.request("GET", origin)
        client.most = None
        whole = client.request("GET", origin)

    assert (cut.body, cut.cut) == (b"1234", False)
    assert whole.body == b"123456789"


def test_a_person_s_own_headers_are_sent_and_not_recorded(certificates: Certificates) -> None:
    with recording() as recorder:
        origin = f"http://{NAME}:{recorder.port}"
        client = Client(
            {origin: (LOOPBACK, recorder.port)},
            certificates.authority,
            most=100,
            headers=[("Authorization", "Bearer secret")],
        )
        client.request("GET", f"{origin}/", [("X-A", "b")])
        client.leave(f"{origin}/")
        client.close()

    assert [b"Authorization: Bearer secret\r\n" in sent for sent in recorder.requests] == [
        True,
        True,
    ]
    told = [dict(exchange.sent) for exchange in client.exchanges]
    assert [each["Authorization"] for each in told] == ["…", "…"]
    assert [each["Host"] for each in told] == [f"{NAME}:{recorder.port}"] * 2
    assert told[0]["X-A"] == "b"


# --- WebSockets ---


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


# --- what is recorded ---


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b"x" * 300, "x" * 300, id="short"),
        pytest.param(b"x" * 301, "x" * 300 + "…", id="long"),
        pytest.param(b"\xff\x00" * 999, "\ufffd\x00" * 150 + "…", id="no text"),
        pytest.param("é".encode() * 301, "é" * 300 + "…", id="characters and not bytes"),
        pytest.param("😀".encode() * 301, "😀" * 300 + "…", id="long characters"),
    ],
)
def test_of_a_body_the_beginning_is_shown(body: bytes, shown: str) -> None:
    exchange = Exchange("GET", "http://x/", [], 200, [], body)

    assert exchange.shown_body() == shown
    assert exchange.shortened().body == shown.encode()
    assert exchange.shortened().shown_body() == shown, "of what is shown the same is shown"


def test_a_shortened_exchange_keeps_what_is_shown() -> None:
    sent = [("Host", "x"), ("Cookie", "c" * 1001)]
    exchange = Exchange(
        "GET", "http://x/", sent, 200, [("A", "b")], chunks=[(1.0, b"data")], cut=True
    )
    shortened = exchange.shortened()

    assert shortened.sent == [("Host", "x"), ("Cookie", "c" * 1000)]
    assert (shortened.status, shortened.headers, shortened.chunks) == (200, [("A", "b")], [])
    assert shortened.cut is True


@pytest.mark.parametrize(
    ("headers", "told"),
    [([], "GET http://x/ → 307"), ([("LOCATION", "/a")], "GET http://x/ → 307 /a")],
)
def test_an_exchange_in_one_line(headers: list[tuple[str, str]], told: str) -> None:
    assert str(Exchange("GET", "http://x/", (), 307, headers)) == told


@pytest.mark.parametrize(("body", "value"), [(b'{"a": 1}', {"a": 1}), (b"<p>", None), (b"", None)])
def test_json_is_none_if_it_is_none(body: bytes, value: object) -> None:
    assert Exchange("GET", "http://x/", [], 200, [], body).json() == value


def test_every_exchange_is_recorded_in_order(asked: tuple[Recorder, Client, str]) -> None:
    _, client, origin = asked

    made = [client.request("GET", f"{origin}/{number}") for number in range(3)]

    assert client.exchanges == made


def test_authority_is_required_to_exist(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises((FileNotFoundError, ssl.SSLError)):
        Client({}, tmp_path_factory.mktemp("none") / "ca.pem")


def test_other_letters_in_a_location_are_read_as_browsers_do() -> None:
    raw = "/café/items/".encode().decode("latin-1")
    exchange = Exchange("GET", "http://x/", (), 307, [("Location", raw), ("X-Other", raw)])

    assert exchange.header("location") == "/café/items/"
    assert exchange.header("x-other") == raw
    assert (
        Exchange("GET", "/", (), 307, [("Location", "/caf\xe9")]).header("location") == "/caf\ufffd"
    )
