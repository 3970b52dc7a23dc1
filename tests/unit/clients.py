"""A client of a server on loopback, for the tests of what it does on the wire."""

from collections.abc import Iterator
from contextlib import contextmanager

from hoplab.client.wire import Client
from hoplab.engines.certificates import Certificates
from tests.unit.stub import LOOPBACK

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
