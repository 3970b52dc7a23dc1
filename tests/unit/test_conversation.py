"""A WebSocket's conversation, with an other end in memory: what it hears, and when it gives up."""

import socket
from typing import cast

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from hoplab.client.conversation import Conversation

GONE = b""
"""What `recv` gives when the other end has closed the connection."""


class Peer:
    """The other end: it opens the WebSocket, and then these pieces arrive, and nothing more.

    answer: what it says to the handshake instead. again: whether the last piece comes for ever.
    """

    def __init__(self, *pieces: bytes, answer: bytes | None = None, again: bool = False) -> None:
        self.pieces = list(pieces)
        self.answer = answer
        self.again = again
        self.protocol = ServerProtocol()
        self.heard: list[Frame] = []
        self.waits: list[float | None] = []
        self.gone = False

    def sendall(self, data: bytes) -> None:
        if self.gone:
            raise BrokenPipeError
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
                opened = b"".join(self.protocol.data_to_send())
                self.pieces.insert(0, opened if self.answer is None else self.answer)
            elif isinstance(event, Frame):
                self.heard.append(event)

    def recv(self, _most: int) -> bytes:
        if not self.pieces:
            raise TimeoutError("nothing came")
        return self.pieces[0] if self.again and len(self.pieces) == 1 else self.pieces.pop(0)

    def settimeout(self, seconds: float | None) -> None:
        self.waits.append(seconds)


def talking(peer: Peer, seconds: float = 60) -> Conversation:
    return Conversation(cast("socket.socket", peer), "ws://x/ws", seconds)


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def closing(code: int = 4000, reason: str = "enough") -> bytes:
    return frame(Opcode.CLOSE, Close(code, reason).serialize())


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([frame(Opcode.TEXT, "é".encode())], "é"),
        ([frame(Opcode.BINARY, b"\xff")], b"\xff"),
        ([frame(Opcode.TEXT, b"a\xff")], "a\ufffd"),
        ([frame(Opcode.TEXT, b"")], ""),
        (
            [frame(Opcode.TEXT, b"\xc3", fin=False), frame(Opcode.CONT, b"\xa9")],
            "é",
        ),
        (
            [
                frame(Opcode.BINARY, b"a", fin=False) + frame(Opcode.CONT, b"b", fin=False),
                frame(Opcode.PING, b"in between") + frame(Opcode.CONT, b"c"),
            ],
            b"abc",
        ),
    ],
)
def test_a_message_is_whole(pieces: list[bytes], message: str | bytes) -> None:
    talk = talking(Peer(*pieces))

    assert talk.accepted
    assert talk.receive() == message


def test_messages_come_one_by_one() -> None:
    talk = talking(Peer(frame(Opcode.TEXT, b"one") + frame(Opcode.BINARY, b"two"), closing()))

    assert [talk.receive() for _ in range(3)] == ["one", b"two", None]


def test_what_is_sent_is_text_or_bytes() -> None:
    peer = Peer()
    talk = talking(peer)
    talk.send("é")
    talk.send(b"\xff")

    assert [(each.opcode, each.data) for each in peer.heard] == [
        (Opcode.TEXT, "é".encode()),
        (Opcode.BINARY, b"\xff"),
    ]


def test_a_ping_is_answered_by_its_own_pong() -> None:
    pongs = frame(Opcode.PONG, b"another"), frame(Opcode.PONG, b"mine"), closing()
    peer = Peer(*pongs)
    talk = talking(peer)

    assert talk.ping(b"mine")
    assert [(each.opcode, each.data) for each in peer.heard] == [(Opcode.PING, b"mine")]
    assert peer.pieces == [pongs[2]], "it has read on"


@pytest.mark.parametrize("end", [GONE, closing()])
def test_a_ping_that_is_not_answered_before_the_end_never_is(end: bytes) -> None:
    assert not talking(Peer(frame(Opcode.PONG, b"another"), end)).ping(b"mine")


def test_a_close_is_told_with_its_code_and_reason() -> None:
    talk = talking(Peer(frame(Opcode.TEXT, b"one"), closing()))

    assert talk.close_code is None
    assert talk.ending == "without a word"
    talk.wait_for_end()
    assert talk.close_code == 4000
    assert talk.ending == "4000 (private use) enough"
    assert talk.receive() == "one", "what came before is still there"
    assert talk.receive() is None


def test_a_connection_that_ends_has_no_code() -> None:
    talk = talking(Peer(GONE))

    assert talk.receive() is None
    assert (talk.close_code, talk.ending) == (None, "without a word")


def test_it_stays_open_while_nothing_ends_it() -> None:
    peer = Peer(frame(Opcode.PING, b"still there?"))
    talk = talking(peer)
    peer.waits.clear()

    assert talk.stays_open(0.05)
    assert all(wait is not None and 0 < wait <= 0.05 for wait in peer.waits)
    assert [each.opcode for each in peer.heard] == [Opcode.PONG]


@pytest.mark.parametrize("end", [GONE, closing()])
def test_it_does_not_stay_open_after_an_end(end: bytes) -> None:
    talk = talking(Peer(frame(Opcode.PING, b"still there?"), end))

    assert not talk.stays_open(0.5)
    assert not talk.stays_open(0.5)


def test_no_answer_is_waited_for_longer_than_it_was_told() -> None:
    peer = Peer()
    talk = talking(peer, 7)
    with pytest.raises(TimeoutError, match="nothing came"):
        talk.receive()

    assert set(peer.waits) == {7}


def test_who_sends_other_things_for_ever_is_not_heard_for_ever() -> None:
    talk = talking(Peer(frame(Opcode.PING, b"and"), again=True), 0.05)

    with pytest.raises(TimeoutError, match=r"^timed out$"):
        talk.receive()


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nNo", 403, b"No"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 0, b"did not receive a valid HTTP response"),
        (GONE, 0, b""),
    ],
)
def test_a_handshake_that_fails_is_told_at_once(answer: bytes, status: int, body: bytes) -> None:
    """Also if the connection stays open: nothing more is waited for."""
    talk = talking(Peer(answer=answer))

    assert not talk.accepted
    assert (talk.status, talk.body) == (status, body)


def test_goodbye_is_said_once() -> None:
    peer = Peer()
    talk = talking(peer)
    talk.close()
    talk.close()

    assert [each.opcode for each in peer.heard] == [Opcode.CLOSE]


def test_who_has_gone_hears_no_goodbye() -> None:
    peer = Peer()
    talk = talking(peer)
    peer.gone = True
    talk.close()

    assert not peer.heard
