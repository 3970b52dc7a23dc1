"""Forwarded headers for any ASGI server that reads none by itself, such as Hypercorn.

Uvicorn has `--proxy-headers`. Hypercorn leaves it to the application, and its ProxyFixMiddleware
believes every peer and every value. This one asks who the peer is, and takes only what is valid.
"""

import os
import re
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.trusted_peers import TrustedPeers, parse_address

PROXIES = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
"""The trusted peers, see TrustedPeers. Uvicorn reads the same variable."""

_SCHEMES = {
    "http": {"http": "http", "https": "https"},
    "websocket": {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"},  # Traefik says wss
}
_ADDRESS = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\])(?::([0-9]{1,5}))?")
_LAST_PORT = 65535
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def behind_proxy(
    app: ASGIApp, trusted: str | Iterable[str] = PROXIES, *, host: bool = False
) -> ASGIApp:
    """`app`, with the client and the scheme that a trusted peer tells.

    * `X-Forwarded-For` is read from the right, past trusted addresses: the first other one is the
      client. With `trusted="*"` that is the rightmost, which the peer itself wrote. What is left of
      an invalid entry is not believed: nobody knows who passed it on.
    * `X-Forwarded-Proto` is `http` or `https`, the last if several; a WebSocket gets `ws` or `wss`.
    * `X-Forwarded-Host` becomes the Host only with `host=True`. The proxy must set it itself then.

    What is missing, empty or invalid changes nothing. Wrap the finished app, or use
    `add_middleware(behind_proxy, trusted=…)`. The scope is copied, not deeply: what stands outside
    (the server's access log too) still sees the peer.
    """
    peers = TrustedPeers(trusted)

    async def fixed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in _SCHEMES:
            told = _told(scope, peers, host=host) if peers.trusts(scope.get("client")) else {}
            scope = {**scope, **told}
        await app(scope, receive, send)

    return fixed


def _told(scope: Scope, peers: TrustedPeers, *, host: bool) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if client := _client(_items(scope, b"x-forwarded-for"), peers):
        told["client"] = client
    for proto in _items(scope, b"x-forwarded-proto")[-1:]:
        if scheme := _SCHEMES[scope["type"]].get(proto.lower()):
            told["scheme"] = scheme
    for name in _items(scope, b"x-forwarded-host")[-1:] if host else ():
        if _HOST.fullmatch(name):
            others = [(k, v) for k, v in scope["headers"] if k.lower() != b"host"]
            told["headers"] = [(b"host", name.encode()), *others]
    return told


def _items(scope: Scope, name: bytes) -> list[str]:
    # Several lines are one list (RFC 9110, 5.3), and its empty items don't count (5.6.1.2).
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    items = (item.strip(" \t") for line in lines for item in line.split(","))
    return [item for item in items if item]


def _client(forwarded_for: list[str], peers: TrustedPeers) -> tuple[str, int] | None:
    client = None
    for item in reversed(forwarded_for):
        address = _address(item)
        client = address or client
        if (address[0] if address else item) not in peers:
            break
    return client


def _address(item: str) -> tuple[str, int] | None:
    """Of `1.2.3.4`, `1.2.3.4:555`, `::1`, `[::1]`, `[::1]:555`; the port is 0 if there is none."""
    match = _ADDRESS.fullmatch(item)
    text, port = (match[1] or match[2], int(match[3] or 0)) if match else (item, 0)
    address = parse_address(text)
    # A zone (fe80::1%eth0) means something on one machine only, and may be any text.
    if address is None or "%" in text or port > _LAST_PORT:
        return None
    return str(address), port
