"""The client sends bodies whole, in chunks, slowly, and after 100 Continue."""

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from hoplab.client import sending
from hoplab.client.sending import CHUNKED, EXPECT
from hoplab.engines.certificates import Certificates
from tests.unit.clients import client_of
from tests.unit.stub import OK, accepting, recording


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


class Refusing(http.client.HTTPConnection):
    """Its other end takes no body, and has answered."""

    def __init__(self, error: Exception) -> None:
        super().__init__("x")
        self.sock: Any = object()
        self.error = error
        self.answer = object()

    def endheaders(self, *_: Any, **__: Any) -> None:
        raise self.error

    def getresponse(self) -> Any:
        return self.answer


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError(), ssl.SSLEOFError()])
@pytest.mark.parametrize("body", [b"hello", [b"hello"], None])
def test_who_takes_no_body_may_have_answered(
    error: Exception, body: bytes | list[bytes] | None
) -> None:
    connection = Refusing(error)

    assert sending.send(connection, "POST", "/", [], body) is connection.answer


def test_another_error_of_sending_is_one() -> None:
    with pytest.raises(TimeoutError):
        sending.send(Refusing(TimeoutError()), "POST", "/", [], b"hello")


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


def test_of_no_body_nothing_is_sent_after_the_wait(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_WAIT_FOR_CONTINUE", 0.05)
    with recording() as recorder, client_of(recorder.port, certificates) as (client, origin):
        client.request("GET", f"{origin}/", [EXPECT])

    [request] = recorder.requests
    assert request.endswith(b"\r\nExpect: 100-continue\r\n\r\n")


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
