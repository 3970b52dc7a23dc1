"""An answer that no server can send: the connection ends without one.

So a process that dies looks to the proxy. ASGI has no word for it, but every server ends the
connection when it can't write a response that it has begun.
"""

from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Dropped(Response):
    """Ends the connection without a byte: under Uvicorn, Hypercorn and Granian."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Begin what can't be written. An exception would only be written to the log."""
        start = "http.response.start"
        with suppress(Exception):
            length = [(b"content-length", b"no number")]
            await send({"type": start, "status": 200, "headers": length})
            # More is to come, or Granian counts the bytes itself.
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        with suppress(Exception):
            # Hypercorn reads the headers before it begins, and refuses a change of protocol that
            # nobody asked for only after.
            await send({"type": start, "status": 101, "headers": []})
