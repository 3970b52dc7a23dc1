"""A WebSocket whose first message comes two seconds after it has opened."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from app.plain import app as plain


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    waited = False

    async def sent(message: Message) -> None:
        nonlocal waited
        if message["type"] == "websocket.send" and not waited:
            waited = True
            await asyncio.sleep(2)
        await send(message)

    await plain(scope, receive, sent)
