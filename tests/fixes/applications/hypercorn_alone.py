"""Hypercorn's own wrapper alone, as its guide has it: it does not ask who the peer is."""

from typing import Any

from hypercorn.middleware import ProxyFixMiddleware

from app.plain import app as plain


def without(fixed: Any) -> Any:
    """The wrapper makes a deep copy of the scope, and the application's state can't be copied."""

    async def without_state(scope: Any, receive: Any, send: Any) -> None:
        copied: Any = {key: value for key, value in scope.items() if key != "state"}
        await fixed(copied, receive, send)

    return without_state


async def inside(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        scope["scheme"] = scope["scheme"].replace("http", "ws")
    await plain(scope, receive, send)


app = without(ProxyFixMiddleware(inside, mode="legacy", trusted_hops=1))
