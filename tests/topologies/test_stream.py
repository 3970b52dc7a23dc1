"""Nothing is buffered, cut or altered on the way."""

import hashlib
from collections.abc import Iterator

from tests.topologies.labs import Public

SIZE = 2 * 1024 * 1024  # nginx, not told otherwise, refuses more than one MiB
BODY = bytes(range(256)) * (SIZE // 256)


def test_contract(public: Public) -> None:
    assert public.verdict("stream") == "pass"


def test_first_event_does_not_wait_for_the_second(public: Public) -> None:
    # The second comes ten seconds later. A proxy that buffers lets this end in a timeout.
    with public.get("/api/v1/events?count=2&interval=10", stream=True, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert next(answer.iter_lines()).startswith(b'data: {"number": 0, ')


def test_body_arrives_whole_both_ways(public: Public) -> None:
    answer = public.request("POST", "/api/v1/echo", data=pieces())

    assert answer.status_code == 200
    assert answer.headers["X-Body-Length"] == "2097152"
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(BODY).digest()


def pieces() -> Iterator[bytes]:
    """The body, to be sent chunked.

    With a Content-Length, Traefik sometimes cuts an answer that comes at once: Go's server closes
    the request's body while its client still looks for the end of it (golang/go#40747).
    """
    for start in range(0, SIZE, 65536):
        yield BODY[start : start + 65536]
