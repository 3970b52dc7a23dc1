"""The client reads streams as they come, leaves them, and asks several things in a row."""

import asyncio
import socket
import threading
import time

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hoplab.client.wire import Client, Exchange
from hoplab.engines.certificates import Certificates
from hoplab.errors import EndedUnanswered, NoAnswer, TimedOut
from tests.unit.clients import NAME, client_of
from tests.unit.stub import LOOPBACK, accepting, closed_port, listening, recording

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


def test_others_are_asked_while_a_stream_has_begun(certificates: Certificates) -> None:
    """Over another connection, which stays open for more."""
    endless, more = Endless(b"first"), Endless(b"other")
    talks = iter([endless.talk, more.talk])
    threads = []

    def each(connection: socket.socket) -> None:
        threads.append(threading.Thread(target=next(talks), args=[connection.dup()]))
        threads[-1].start()
        connection.close()

    with accepting(each) as port, client_of(port, certificates) as (client, origin):
        with client.begun(f"{origin}/endless", [("A", "b")]) as begun:
            other = client.leave(f"{origin}/other")
            assert more.left.wait(5)
            assert not endless.left.is_set()
        assert endless.left.wait(5)
    for thread in threads:
        thread.join()

    host = origin.removeprefix("http://")
    assert endless.heads[0] == f"GET /endless HTTP/1.1\r\nHost: {host}\r\nA: b\r\n\r\n".encode()
    assert more.heads[0] == f"GET /other HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert (begun.body, other.body) == (b"first", b"other")
    assert begun.sent == [("Host", host), ("A", "b")]
    assert client.exchanges == [begun, other]


def test_how_an_answer_is_missing_is_told_apart(certificates: Certificates) -> None:
    """A connection that was taken and ended may be a finding; the rest is the lab's own."""
    with (
        client_of(closed_port(), certificates) as (client, origin),
        pytest.raises(NoAnswer) as refused,
    ):
        client.request("GET", f"{origin}/")
    with (
        accepting(lambda connection: connection.close()) as port,
        client_of(port, certificates) as (client, origin),
        pytest.raises(NoAnswer) as ended,
    ):
        client.request("GET", f"{origin}/")

    assert [type(refused.value), type(ended.value)] == [NoAnswer, EndedUnanswered]


def test_a_stream_of_which_nothing_comes_is_left_in_time(certificates: Certificates) -> None:
    left = threading.Event()

    def silent(connection: socket.socket) -> None:
        with connection:
            connection.recv(2**16)
            if not connection.recv(1):
                left.set()

    with accepting(silent) as port, client_of(port, certificates) as (client, origin):
        with pytest.raises(TimedOut, match=f"GET {origin}/a: no answer"):
            client.leave(f"{origin}/a", 0.1)
        assert left.wait(5)


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
