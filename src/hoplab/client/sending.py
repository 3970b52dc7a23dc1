"""How a request is written: its headers as they stand, its body whole, in chunks or slowly."""

import http.client
import select
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

CHUNKED = ("Transfer-Encoding", "chunked")
EXPECT = ("Expect", "100-continue")
_WAIT_FOR_CONTINUE = 1.0  # seconds; RFC 9110, 10.1.1: not for ever
_PAUSE = 1.1  # seconds between the pieces of a slow upload


def send(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body: bytes | Sequence[bytes] | None,
) -> http.client.HTTPResponse:
    """Write a request as it is told, and wait for the answer's head."""
    if connection.sock is None:
        connection.connect()
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    chunked = CHUNKED in headers
    with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
        # Who refuses it may answer before it has arrived.
        if body is None or isinstance(body, bytes):
            if EXPECT in headers:
                connection.endheaders()
                select.select([connection.sock], [], [], _WAIT_FOR_CONTINUE)
                connection.send(body or b"")
            else:
                connection.endheaders(body, encode_chunked=chunked)
        else:
            connection.endheaders(_slowly(body), encode_chunked=chunked)
    return connection.getresponse()


def _slowly(pieces: Sequence[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        time.sleep(_PAUSE)
        yield piece
