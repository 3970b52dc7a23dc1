"""One request on its way: what each hop of a cell made of it, taken from real exchanges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hoplab.client.probe import Probe
from hoplab.client.target import Target
from hoplab.client.wire import Exchange

_OF_THE_CLIENT = {"host", "content-length"}
_BODIES = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True)
class Request:
    """What to ask, wherever the target listens.

    path: with the prefix and the query. method: WEBSOCKET for one. direct: past the proxy.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    direct: bool = False

    @property
    def has_body(self) -> bool:
        """Whether a body belongs to it. It is not recorded: only its size matters."""
        return self.method in _BODIES


@dataclass(frozen=True)
class Hop:
    """What came by between two of those that a request passes: two heads, line by line."""

    request: Sequence[str]
    answer: Sequence[str]


@dataclass(frozen=True)
class Trace:
    """What the client asked and was answered, and what came by on the wires behind the proxies.

    hops: in the order of the request; those that it did not reach are missing. listened: whether
    anybody listened there: without, there are no hops, whatever the request has reached.
    """

    exchange: Exchange
    hops: Sequence[Hop] = ()
    direct: bool = False
    listened: bool = True

    @property
    def scope(self) -> Mapping[str, Any] | None:
        """What the server told the application; nothing if that was not reached."""
        told = self.exchange.header("X-ASGI-Scope")
        return json.loads(told) if told else None


def request_of(exchange: Exchange) -> Request:
    """What was asked in an exchange."""
    parts = urlsplit(exchange.url)
    direct = (parts.hostname or "").startswith("127.")
    path = exchange.url.partition(parts.netloc)[2]
    sent = [] if exchange.method == "WEBSOCKET" else exchange.sent
    headers = tuple((k, v) for k, v in sent if k.lower() not in _OF_THE_CLIENT)
    return Request(exchange.method, path, headers, direct)


def ask(target: Target, request: Request) -> Exchange:
    """Ask it of this target."""
    probe = Probe(target)
    try:
        if request.direct:
            return probe.ask_directly(request.path, request.headers)
        url = probe.origin + request.path
        if request.method == "WEBSOCKET":
            return probe.websocket(url, request.headers)
        body = bytes(target.limits.upload) if request.has_body else None
        return probe.request(request.method, url, request.headers, body)
    finally:
        probe.client.close()
