"""How much of an answer is read, and for how long; what of a request is written down."""

import asyncio
import time
import zlib
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from hoplab.client.wire import HIDDEN, Client
from tests.unit.stub import LOOPBACK, listening, recording

PIECE = b"x" * 2**14


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Pieces, one after the other, until the client leaves; `/slow`: every 0.1 s."""
    await send({"type": "http.response.start", "status": 200})
    leaving = asyncio.ensure_future(left(receive))
    while not leaving.done():
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        await asyncio.sleep(0.1 if scope["path"] == "/slow" else 0)


async def left(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


async def short(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def origin() -> Iterator[str]:
    with listening(endless) as port:
        yield f"http://x:{port}"


def client(origin: str, seconds: float = 5.0, most: int | None = None) -> Client:
    port = int(origin.rpartition(":")[2])
    return Client({origin: (LOOPBACK, port)}, None, seconds=seconds, most=most)


def test_so_many_bytes_are_read_and_no_more(origin: str) -> None:
    asking = client(origin, most=100_000)

    answers = [asking.request("GET", f"{origin}/") for _ in range(2)]

    assert [len(answer.body) for answer in answers] == [100_000] * 2
    assert not answers[0].cut
    assert answers[0].unfinished


def test_what_comes_in_drops_is_read_for_so_long(origin: str) -> None:
    began = time.monotonic()

    answer = client(origin, seconds=0.5, most=2**30).request("GET", f"{origin}/slow")

    assert 2 <= len(answer.body) / len(PIECE) <= 8
    assert time.monotonic() - began < 3


def test_a_short_body_is_read_whole_and_the_connection_used_again() -> None:
    with listening(short) as port:
        asking = client(f"http://x:{port}", most=100)
        answers = [asking.request("GET", f"http://x:{port}/") for _ in range(2)]
        asking.close()

    assert [answer.body for answer in answers] == [b"hello"] * 2
    assert (answers[0].cut, answers[0].unfinished) == (False, False)


@pytest.mark.parametrize(
    ("most", "body", "cut"),
    [
        (None, b"hello", True),
        (100, b"hello", True),
        (6, b"hello", True),
        (5, b"hello", False),
        (4, b"hell", False),
    ],
)
def test_a_body_that_is_cut_says_so_if_it_is_read_up_to_there(
    most: int | None, body: bytes, *, cut: bool
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    with recording(head + b"hello", close=True) as recorder:
        asking = client(f"http://x:{recorder.port}", most=most)
        answer = asking.request("GET", f"http://x:{recorder.port}/")
        asking.close()

    assert (answer.body, answer.cut, answer.unfinished) == (body, cut, len(body) == most)


@pytest.mark.parametrize("most", [None, 100])
def test_a_body_in_chunks_that_is_cut_says_so(most: int | None) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with recording(head + b"5\r\nhello\r\n9\r\nwo", close=True) as recorder:
        asking = client(f"http://x:{recorder.port}", most=most)
        answer = asking.request("GET", f"http://x:{recorder.port}/")
        asking.close()

    assert answer.cut is True
    assert answer.body.startswith(b"hello")
    assert not answer.unfinished


def test_a_stream_is_listened_to_for_so_long(origin: str) -> None:
    answer = client(origin).listen(f"{origin}/slow", 0.5)

    times = [at for at, _ in answer.chunks]
    assert answer.status == 200
    assert len(times) >= 2
    assert times[-1] - times[0] < 1


@pytest.mark.parametrize("most", [None, 3])
def test_a_stream_that_ends_is_listened_to_up_to_there(most: int | None) -> None:
    with listening(short) as port:
        answer = client(f"http://x:{port}", seconds=60).listen(f"http://x:{port}/", 60, most)

    assert (answer.body, answer.cut) == (b"hello", False)
    assert [piece for _, piece in answer.chunks] == [b"hello"]


def test_so_many_pieces_of_a_stream_are_enough(origin: str) -> None:
    answer = client(origin).listen(f"{origin}/", 60, 1)

    assert len(answer.chunks) == 1
    assert answer.body == answer.chunks[0][1]


def test_a_stream_that_is_cut_while_somebody_listens_says_so() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with recording(head + b"5\r\nhello\r\n9\r\n", close=True) as recorder:
        origin = f"http://x:{recorder.port}"
        answer = client(origin).listen(f"{origin}/", 60)

    assert answer.cut is True
    assert answer.body == b"hello"


def test_lines_of_gzip_are_read_as_they_come() -> None:
    async def packed(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        packer = zlib.compressobj(wbits=31)
        for line in (b"one\n", b"two\n", b"rest"):
            piece = packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": packer.flush()})

    with listening(packed) as port:
        answer = client(f"http://x:{port}").request("GET", f"http://x:{port}/", stream=True)

    (first, _), (second, _), _ = answer.chunks
    assert [line for _, line in answer.chunks] == [b"one\n", b"two\n", b"rest"]
    assert answer.body == b"one\ntwo\nrest"
    assert second - first >= 0.05
    assert not answer.cut


def test_what_is_no_gzip_counts_as_cut() -> None:
    async def lying(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n"})

    with listening(lying) as port:
        answer = client(f"http://x:{port}").request("GET", f"http://x:{port}/", stream=True)

    assert answer.cut


def test_a_person_s_header_is_sent_and_not_written_down() -> None:
    seen: list[dict[bytes, bytes]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope["headers"]))
        await short(scope, receive, send)

    with listening(noting) as port:
        origin = f"http://x:{port}"
        asking = Client(
            {origin: (LOOPBACK, port)}, None, headers=[("Authorization", "Bearer secret")]
        )
        answer = asking.request("GET", f"{origin}/", [("X-One", "1")])
        asking.close()

    assert seen[0][b"authorization"] == b"Bearer secret"
    assert ("Authorization", HIDDEN) in answer.sent
    assert ("X-One", "1") in answer.sent
    assert "secret" not in repr(answer)
