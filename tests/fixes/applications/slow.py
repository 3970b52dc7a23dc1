"""Sends the second half of an echo two seconds after the first."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from app.plain import app as plain


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body" and scope["path"].endswith("/echo"):
            body, half = message["body"], len(message["body"]) // 2
            await send({**message, "body": body[:half], "more_body": True})
            await asyncio.sleep(2)
            message = {**message, "body": body[half:]}
        await send(message)

    await plain(scope, receive, sent)
