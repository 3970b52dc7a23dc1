"""Forwarded headers under Hypercorn, which reads none by itself.

Uvicorn believes `X-Forwarded-For` and `-Proto` of the peers in `--forwarded-allow-ips`. Hypercorn
leaves it to the application: its ProxyFixMiddleware has to be the *outermost* layer. Added with
`add_middleware` it would stand inside Starlette's own (hypercorn#367).

ProxyFixMiddleware asks nobody who the peer is: the application must be reachable by the proxy
alone, and the proxy must set every one of these headers itself.
"""

from typing import cast

from hypercorn.middleware import ProxyFixMiddleware
from hypercorn.typing import ASGIFramework
from starlette.types import ASGIApp, Receive, Scope, Send


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


def behind_proxy(app: ASGIApp) -> ASGIApp:
    """`app` behind one proxy that sets X-Forwarded-For, -Proto and -Host itself."""
    wrapped = cast("ASGIFramework", WebSocketSchemeMiddleware(app))
    return cast("ASGIApp", ProxyFixMiddleware(wrapped, mode="legacy", trusted_hops=1))
