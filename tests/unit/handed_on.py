"""What a middleware gives the application in place of the server's own."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def hands_on(wrap: Callable[[ASGIApp], ASGIApp], scope: Scope) -> bool:
    """Whether the application talks to the server itself: `receive` and `send` are the same."""
    given: list[object] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        given.extend([receive, send])

    async def receives() -> Message:
        return {}

    async def sends(_message: Message) -> None: ...

    asyncio.run(wrap(app)(scope, receives, sends))  # type: ignore[arg-type] # it is a coroutine
    return given == [receives, sends]
