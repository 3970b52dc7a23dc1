"""Which process gave this answer, and what its server told it: two headers on every response.

The lab accepts an answer only with the nonce of the instance that it started; an answer by another
instance on the same port must never count as a pass.
"""

import json
import os
import secrets
from functools import cache

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STARTS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
_MARK = "hoplab.instance"


@cache
def nonce() -> str:
    """The nonce of this process. Not read on import: what a fork inherits is not its own."""
    return os.environ.get("INSTANCE_NONCE") or secrets.token_hex(8)


class InstanceMiddleware:
    """Adds `X-Instance`, the nonce, and `X-ASGI-Scope`: of the scope what the lab compares."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or _MARK in scope:
            await self.app(scope, receive, send)
            return

        told = {key: scope.get(key) for key in ("scheme", "client", "root_path", "path", "method")}
        told["host"] = [v.decode("latin-1") for k, v in scope["headers"] if k == b"host"]
        told_text = json.dumps(told, ensure_ascii=True)

        # A refused WebSocket is a 403 of the server's own, without our headers, unless we give it;
        # and one that ends in an exception is a 500.
        refuses = "websocket.http.response" in scope.get("extensions", {})
        accepted = False

        async def refuse(status: int) -> None:
            start = {"type": "websocket.http.response.start", "status": status, "headers": []}
            await send_named(start)
            await send({"type": "websocket.http.response.body", "body": b""})

        async def send_named(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "websocket.close" and refuses and not accepted:
                await refuse(403)
                return
            if message["type"] in _STARTS:
                accepted = True
                message.setdefault("headers", [])  # ASGI allows to leave them out
                headers = MutableHeaders(scope=message)
                headers["X-Instance"] = nonce()
                headers["X-ASGI-Scope"] = told_text
            await send(message)

        try:
            await self.app({**scope, _MARK: True}, receive, send_named)
        except Exception as error:
            if refuses and not accepted:
                await refuse(500)
            # It has been answered with 500; to write its traceback takes longer than the answer.
            if not (accepted and getattr(error, "on_purpose", False)):
                raise
