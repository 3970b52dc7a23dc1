"""A tap passes on what comes, and remembers what was asked and answered."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hoplab.engines.tap import MARKER, Heads, marker, taps
from hoplab.system.ports import LOOPBACK

ANSWER = b"HTTP/1.1 307 Away\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def an_upstream(*answers: bytes) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Gives its port, and for each request the peer's address and what it sent."""
    seen: list[tuple[str, bytes]] = []
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            connection, peer = server.accept()
            with connection:
                for answer in answers:
                    seen.append((peer[0], connection.recv(2**16)))
                    connection.sendall(answer)
                connection.recv(1)  # until the client has gone

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1]), seen
        thread.join(5)
        assert not thread.is_alive()


def ask(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    connection.settimeout(5)
    return connection.recv(2**16)


def test_a_request_and_its_answer_come_through_and_are_remembered() -> None:
    with an_upstream(ANSWER) as (port, seen), taps() as between:
        at = (LOOPBACK, between.before(LOOPBACK, port))
        with socket.create_connection(at, source_address=("127.0.0.8", 0)) as client:
            answer = ask(client, b"GET /items HTTP/1.1\r\nHost: x\r\n\r\n")
        heads = between.heads()

    assert answer == ANSWER
    assert seen == [("127.0.0.8", b"GET /items HTTP/1.1\r\nHost: x\r\n\r\n")]
    assert heads == [
        Heads(
            ["GET /items HTTP/1.1", "Host: x"],
            ["HTTP/1.1 307 Away", "Location: /x", "Content-Length: 2"],
        )
    ]


def at_a_unix_socket(folder: Path) -> tuple[socket.socket, str, int]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "app.sock"))
    server.listen()
    return server, str(folder / "app.sock"), 0


def at_ipv6(_: Path) -> tuple[socket.socket, str, int]:
    server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    return server, "::1", server.getsockname()[1]


@pytest.mark.parametrize("upstream", [at_a_unix_socket, at_ipv6])
def test_an_upstream_at_no_ipv4_address(
    upstream: Callable[[Path], tuple[socket.socket, str, int]], tmp_path: Path
) -> None:
    server, host, port = upstream(tmp_path)
    with server, taps() as between:
        with socket.create_connection((LOOPBACK, between.before(host, port))) as client:
            client.sendall(b"GET /items HTTP/1.1\r\n\r\n")
            server.settimeout(5)
            connection, _ = server.accept()
            with connection:
                assert connection.recv(2**16) == b"GET /items HTTP/1.1\r\n\r\n"
                connection.sendall(ANSWER)
                client.settimeout(5)
                assert client.recv(2**16) == ANSWER
        [heads] = between.heads()

    assert heads.request == ["GET /items HTTP/1.1"]


def test_what_came_before_is_forgotten_on_the_same_connection() -> None:
    with an_upstream(ANSWER, ANSWER) as (port, _), taps() as between:
        with socket.create_connection((LOOPBACK, between.before(LOOPBACK, port))) as client:
            ask(client, b"GET /ready HTTP/1.1\r\n\r\n")
            between.forget()
            assert between.heads() == []
            ask(client, b"GET /items HTTP/1.1\r\n\r\n")
        [heads] = between.heads()

    assert heads.request == ["GET /items HTTP/1.1"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"HTTP/1.1 101 Switching\r\n\r\n\x81\x00", "HTTP/1.1 101 Switching"),
    ],
)
def test_an_interim_answer_is_not_the_answer(answer: bytes, status: str) -> None:
    with an_upstream(answer) as (port, _), taps() as between:
        with socket.create_connection((LOOPBACK, between.before(LOOPBACK, port))) as client:
            ask(client, b"GET / HTTP/1.1\r\n\r\n")
        [heads] = between.heads()

    assert heads.answer[0] == status


def test_nobody_is_there() -> None:
    with socket.create_server((LOOPBACK, 0)) as free:
        port = int(free.getsockname()[1])
    with taps() as between:
        with socket.create_connection((LOOPBACK, between.before(LOOPBACK, port))) as client:
            client.settimeout(5)
            assert client.recv(1) == b""
        assert between.heads() == []


def test_taps_are_in_the_order_in_which_they_were_put() -> None:
    with an_upstream(ANSWER) as (port, _), taps() as between:
        inner = between.before(LOOPBACK, port)
        outer = between.before(LOOPBACK, inner)
        with socket.create_connection((LOOPBACK, outer)) as client:
            ask(client, b"GET / HTTP/1.1\r\n\r\n")
        assert len(between.heads()) == 2


@pytest.mark.parametrize("name", [MARKER, MARKER.lower()])
def test_a_marked_request_is_found_among_others(
    name: str,
) -> None:
    mark = marker()
    asked = f"GET /items HTTP/1.1\r\n{name}: {mark}\r\nHost: x\r\n\r\n".encode()
    with an_upstream(ANSWER, ANSWER, ANSWER) as (port, seen), taps() as between:
        outer = between.before(LOOPBACK, port)
        between.before(LOOPBACK, port)  # the application's, which comes last: not passed here
        with socket.create_connection((LOOPBACK, outer)) as client:
            ask(client, b"GET /before HTTP/1.1\r\n\r\n")
            ask(client, asked)
            ask(client, b"GET /after HTTP/1.1\r\n\r\n")
        found = between.heads(mark)

    assert [heads.request for heads in found] == [["GET /items HTTP/1.1", "Host: x"]]
    assert found[0].answer[0] == "HTTP/1.1 307 Away"
    assert seen[1][1] == asked


def test_the_last_tap_keeps_the_marker_from_the_application() -> None:
    mark = marker()
    asked = f"GET / HTTP/1.1\r\n{MARKER}: {mark}\r\nHost: x\r\n\r\n".encode()
    with an_upstream(ANSWER) as (port, seen), taps() as between:
        with socket.create_connection((LOOPBACK, between.before(LOOPBACK, port))) as client:
            ask(client, asked)
        found = between.heads(mark)

    assert seen[0][1] == b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert len(found) == 1
    assert between.heads("another") == []
