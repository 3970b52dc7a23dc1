"""A middleware by hand that puts a comment before each event, and ends the stream."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared import build_app


class Commented:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        events = False

        async def sent(message: Message) -> None:
            nonlocal events
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("Content-Type", "")
                events = kind.startswith("text/event-stream")
            elif message["type"] == "http.response.body" and events:
                message = {"type": "http.response.body", "body": b": \n" + message["body"]}
            await send(message)

        await self.app(scope, receive, sent)


app = build_app()
app.add_middleware(Commented)
