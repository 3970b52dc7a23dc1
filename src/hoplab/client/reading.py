"""How answers are read: how much of a body, for how long, and several from one connection."""

import http.client
import io
import socket
import time
import zlib
from typing import Protocol

_PIECE = 2**16  # bytes
_GZIP = 16  # zlib's flag for gzip's own head


class Answer(Protocol):
    """What of an exchange is filled here."""

    body: bytes
    chunks: list[tuple[float, bytes]]
    cut: bool
    unfinished: bool


def lines(response: http.client.HTTPResponse, answer: Answer) -> None:
    """Line by line until it ends, with the time at which each came; unpacked, if it is gzip."""
    packed = response.getheader("Content-Encoding") == "gzip"
    unpack = zlib.decompressobj(zlib.MAX_WBITS | _GZIP).decompress if packed else bytes
    rest = b""
    try:
        while piece := response.read1(_PIECE):
            at = time.time()
            *whole, rest = (rest + unpack(piece)).split(b"\n")
            answer.chunks += [(at, line + b"\n") for line in whole]
    except (http.client.IncompleteRead, zlib.error):
        answer.cut = True
    if rest:
        answer.chunks.append((time.time(), rest))
    answer.body = b"".join(piece for _, piece in answer.chunks)


def body(
    response: http.client.HTTPResponse, answer: Answer, most: int | None, seconds: float
) -> None:
    """All of it; or its first `most` bytes, and what of them comes in so many seconds."""
    deadline = time.monotonic() + seconds
    pieces = b""
    try:
        if most is None:
            pieces = response.read()
        else:
            while len(pieces) < most and time.monotonic() < deadline:
                piece = response.read1(min(_PIECE, most - len(pieces)))
                if not piece:
                    answer.cut = bool(response.length)  # read1 does not say so, as read does
                    break
                pieces += piece
            else:
                answer.unfinished = True
    except http.client.IncompleteRead as cut:  # a finding, not an error of ours
        pieces, answer.cut = pieces + cut.partial, True
    answer.body = pieces


def pieces(
    response: http.client.HTTPResponse,
    answer: Answer,
    sock: socket.socket,
    seconds: float,
    most: int | None = None,
) -> None:
    """What comes in so many seconds, or the first pieces of it, and when each came."""
    deadline = time.monotonic() + seconds
    try:
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            piece = response.read1(_PIECE)
            if not piece:
                break
            answer.chunks.append((time.time(), piece))
            if len(answer.chunks) == most:
                break
    except TimeoutError:
        pass
    except http.client.IncompleteRead:
        answer.cut = True
    answer.body = b"".join(piece for _, piece in answer.chunks)


class Answers:
    """What HTTPResponse takes for a socket and its file, and does not close at an answer's end."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.read, self.readline, self.readinto = file.read, file.readline, file.readinto

    def makefile(self, _mode: str) -> "Answers":
        return self

    def flush(self) -> None: ...

    def close(self) -> None: ...
