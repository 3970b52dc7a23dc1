"""Asks nginx not to keep its streams back."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from app.plain import app as plain

_STREAMS = ("text/event-stream", "application/x-ndjson")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("Content-Type", "").startswith(_STREAMS):
                name, _, value = "X-Accel-Buffering: no".partition(": ")
                headers[name] = value
        await send(message)

    await plain(scope, receive, sent)
