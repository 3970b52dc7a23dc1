"""A layer by hand that takes X-Forwarded-For whole for the client's address."""

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.plain import app as plain


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        client = Headers(scope=scope).get("X-Forwarded-For")
        scope = {**scope, "client": (client, 0) if client else scope["client"]}
    await plain(scope, receive, send)
