"""The applications with CORS, asked over the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp

from hoplab.client.wire import Client, Exchange
from hoplab.topology import Scheme
from tests.unit.cors.variants import Ask
from tests.unit.stub import LOOPBACK, Stub


@pytest.fixture
def ask(stub: Stub) -> Iterator[Ask]:
    """Ask an application, over the wire and as if nothing stood in front of it."""
    origin = stub.endpoint.origin(Scheme.HTTP)
    client = Client({origin: (LOOPBACK, stub.endpoint.ports[Scheme.HTTP])}, stub.endpoint.authority)

    def request(app: ASGIApp, method: str, path: str, sent: Any = ()) -> Exchange:
        stub.deployment = app
        return client.request(method, origin + path, sent)

    yield request
    client.close()
