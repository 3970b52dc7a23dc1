"""Faults of a proxy in what the application sends, message by message: held back, or changed."""

import asyncio
import re
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.unit.stub import Fault


def batched(size: int) -> Fault:
    """A buffer that is passed on when it holds so many pieces, and when the answer ends."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            kept: list[bytes] = []

            async def collect(message: Message) -> None:
                if message["type"] != "http.response.body":
                    await send(message)
                    return
                kept.append(message.get("body", b""))
                if len(kept) == size or not message.get("more_body"):
                    await send({**message, "body": b"".join(kept)})
                    kept.clear()

            await app(scope, receive, collect)

        return proxy

    return fault


def held_back(app: ASGIApp) -> ASGIApp:
    """Every piece leaves when the next one comes."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        kept: list[Message] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.body":
                kept.append(message)
                message = {**message, "body": b"", "more_body": True}
                if len(kept) > 1:
                    message = kept.pop(0)
            await send(message)

        await app(scope, receive, collect)
        for message in kept:
            await send(message)

    return proxy


def sent_earlier(seconds: float) -> Fault:
    """A proxy that passes every event on so much later, as far as the event itself tells."""

    def earlier(match: re.Match[bytes]) -> bytes:
        return f'"sent": {float(match[1]) - seconds}'.encode()

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            async def changed(message: Message) -> None:
                body = re.sub(rb'"sent": ([0-9.]+)', earlier, message.get("body", b""))
                await send({**message, "body": body} if body else message)

            await app(scope, receive, changed)

        return proxy

    return fault


def begins_late(app: ASGIApp) -> ASGIApp:
    """Half a second passes between the head and what follows."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                await asyncio.sleep(0.5)

        await app(scope, receive, sent)

    return proxy


def talking(change: Callable[[Message], Message | None]) -> Fault:
    """What the application sends over a WebSocket comes changed, or ends there."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "websocket":
                await app(scope, receive, send)
                return
            ended = False

            async def changed(message: Message) -> None:
                nonlocal ended
                new = change(message)
                if ended:
                    return
                ended = new is None
                await send(new or {"type": "websocket.close", "code": 1009})

            await app(scope, receive, changed)

        return asked

    return fault


def text_only(message: Message) -> Message:
    if isinstance(data := message.get("bytes"), bytes):
        return {"type": "websocket.send", "text": data.decode("latin-1")}
    return message


def small_only(message: Message) -> Message | None:
    return None if len(message.get("text") or "") > 2**16 else message


def no_bytes(message: Message) -> Message | None:
    return None if message.get("bytes") else message


def one_as_bytes(message: Message) -> Message:
    """The first text alone."""
    return {"type": "websocket.send", "bytes": b"one"} if message.get("text") == "one" else message


def bytes_only(message: Message) -> Message:
    if isinstance(text := message.get("text"), str):
        return {"type": "websocket.send", "bytes": text.encode()}
    return message


def closing(code: int) -> Callable[[Message], Message]:
    """With another code than the application's."""
    return lambda message: (
        {**message, "code": code} if message["type"] == "websocket.close" else message
    )
