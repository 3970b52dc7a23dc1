"""A stream that does something slow before its first event."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from app.shared import build_app


async def events(count: int, interval: float) -> AsyncIterator[str]:
    await asyncio.sleep(2)
    for number in range(count):
        if number:
            await asyncio.sleep(interval)
        yield f"data: {json.dumps({'number': number, 'sent': time.time()})}\n\n"


async def read_events(request: Request) -> StreamingResponse:
    asked = request.query_params
    stream = events(int(asked.get("count", "3")), float(asked.get("interval", "0.25")))
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


app = build_app()
app.router.routes.insert(0, Route("/events", read_events))
