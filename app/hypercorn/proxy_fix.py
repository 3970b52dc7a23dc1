"""Forwarded headers under Hypercorn, which reads none by itself.

Uvicorn believes `X-Forwarded-For` and `-Proto` of the peers in `--forwarded-allow-ips`. Hypercorn
leaves it to the application: its ProxyFixMiddleware has to be the *outermost* layer. Added with
`add_middleware` it fails: it copies a scope that by then holds the application (hypercorn#179).

ProxyFixMiddleware does not ask who the peer is: it believes everybody who reaches the server. This
module asks, and the proxy must still set every one of these headers itself.
"""

import os
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import cast

from hypercorn.middleware import ProxyFixMiddleware
from hypercorn.typing import ASGIFramework
from starlette.types import ASGIApp, Receive, Scope, Send

PROXIES = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
"""Addresses and networks with commas, or `*`; empty is nobody. Uvicorn reads the same variable."""


class WebSocketSchemeMiddleware:
    """Makes a WebSocket's scheme `ws` or `wss` again.

    ProxyFixMiddleware copies `X-Forwarded-Proto: https` into the scope of a WebSocket as well
    (hypercorn#198), where ASGI knows `ws` and `wss` only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope = {**scope, "scheme": scope["scheme"].replace("http", "ws", 1)}
        await self.app(scope, receive, send)


def behind_proxy(app: ASGIApp, trusted: str = PROXIES) -> ASGIApp:
    """`app` behind one proxy that sets X-Forwarded-For, -Proto and -Host itself.

    `trusted` are the proxy's addresses and networks; what other peers say is not believed. An entry
    `*` is everybody, as with ProxyFixMiddleware alone. Raises ValueError for what is no network: a
    host name would never match.
    """
    entries = [entry.strip() for entry in trusted.split(",") if entry.strip()]
    networks = [ip_network(entry) for entry in entries if entry != "*"]

    async def fixed(scope: Scope, receive: Receive, send: Send) -> None:
        peer = _peer(scope)
        if "*" not in entries and not (peer and any(peer in network for network in networks)):
            await app(scope, receive, send)
            return

        # ProxyFixMiddleware makes a deep copy of the scope. The lifespan's state must stay itself:
        # every request shares it, and a lock or a pool in it can't be copied.
        shared = {key: scope[key] for key in ("state",) if key in scope}

        async def with_state(copied: Scope, receive: Receive, send: Send) -> None:
            await WebSocketSchemeMiddleware(app)({**copied, **shared}, receive, send)

        inner = cast("ASGIFramework", with_state)
        fix = cast("ASGIApp", ProxyFixMiddleware(inner, mode="legacy", trusted_hops=1))
        await fix({key: scope[key] for key in scope if key not in shared}, receive, send)

    return fixed


def _peer(scope: Scope) -> IPv4Address | IPv6Address | None:
    try:
        peer = ip_address((scope.get("client") or ("",))[0])
    except ValueError:  # a Unix socket has no address
        return None
    return getattr(peer, "ipv4_mapped", None) or peer  # of a dual-stack socket (RFC 4291, 2.5.5.2)
