"""The client puts on the wire what it was told, octet by octet, and records what came back."""

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hoplab.client.wire import Client, Connections, Exchange, as_sent
from hoplab.engines.certificates import Certificates
from hoplab.errors import HarnessError
from tests.unit.clients import NAME, client_of
from tests.unit.stub import LOOPBACK, OK, Recorder, closed_port, listening, recording


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
