"""Routes that tell a request as it came, and routes that answer as they are asked to.

With them the lab sees whether a proxy changes anything on the way in or back.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response, StreamingResponse

from app.dropped import Dropped
from app.instance import nonce

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
SUBPROTOCOL = "mirror"

GIVEN: tuple[tuple[str, str], ...] = (
    ("Set-Cookie", "a=1; Path=/; HttpOnly"),
    ("Set-Cookie", "b=2; Domain=example.com; Path=/; SameSite=Lax"),
    ("ETag", '"as-given"'),
    ("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ("Vary", "Accept-Language"),
    ("Cache-Control", "private, no-cache"),
    ("Link", '<https://example.com/next>; rel="next"'),
    ("Content-Disposition", "attachment; filename*=UTF-8''caf%C3%A9.txt"),
    ("Content-Security-Policy", "default-src 'self'"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Expose-Headers", "X-As-Given"),
    ("X-As-Given", "one"),
)
"""What `/answer` gives besides: headers that applications live on."""

_NO_BODY = {204, 304}
_LONGEST = 60.0  # seconds
_MOST = 1000  # tokens

router = APIRouter(include_in_schema=False)
_serials = count(1)
_arrived: Counter[str] = Counter()
_left: dict[str, asyncio.Event] = {}


@router.api_route("/request", methods=METHODS)
async def read_request(request: Request, status: int = 200) -> JSONResponse:
    """The request as it came: method, query, headers, length and SHA-256 of the body.

    `serial` is another number for each request: an answer from a cache has an old one. No header
    says whether a cache may keep it, whatever its `status`.
    """
    body = await request.body()
    return JSONResponse(
        {
            "serial": next(_serials),
            "method": request.method,
            "query_string": request.scope["query_string"].decode("latin-1"),
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in request.headers.raw],
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        },
        status,
    )


@router.api_route("/answer", methods=METHODS)
async def answer(
    request: Request,
    status: int = 200,
    size: int = 0,
    seconds: float = 0,
    token: str = "",
    cookie: int = 0,
    drop: int = 0,
) -> Response:
    """Answer with this status, `size` bytes more and a cookie of so many, after so many seconds.

    `token` counts how often it was asked: see `/answered`. The first `drop` times, the connection
    ends without an answer.
    """
    await request.body()
    if token:
        _arrived[token] += 1
        _forget_the_oldest(_arrived)
        if _arrived[token] <= drop:
            return Dropped()
    await asyncio.sleep(min(seconds, _LONGEST))
    body = b"" if status in _NO_BODY else f"answer {status}\n".encode() + b"." * min(size, 2**24)
    response = Response(body, status)
    if status not in _NO_BODY:
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
    for name, value in GIVEN:
        response.headers.append(name, value)
    if cookie:
        response.headers.append("Set-Cookie", "large=" + "c" * min(cookie, 2**16))
    if status == 302:  # noqa: PLR2004 - RFC 9110, 15.4.3
        response.headers["Location"] = "/as/given?next=%2Fa"
    if status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
        response.headers["WWW-Authenticate"] = 'Bearer realm="as given"'
    return response


@router.get("/answered/{token}")
async def answered(token: str) -> dict[str, int]:
    """How often `/answer` was asked with this token."""
    return {"times": _arrived[token]}


@router.get("/lines")
async def read_lines(count: int = 2, interval: float = 0.25) -> StreamingResponse:
    """JSON line by line, `interval` seconds apart: a stream that is no text/event-stream."""

    async def lines() -> AsyncIterator[str]:
        for number in range(min(count, 100)):
            if number:
                await asyncio.sleep(min(interval, 10.0))
            yield json.dumps({"number": number, "sent": time.time()}) + "\n"

    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


@router.get("/endless/{token}")
async def endless(token: str, quiet: bool = False) -> StreamingResponse:
    """Events until the client leaves, or one and then none: see `client_left`."""
    left = _left[token] = asyncio.Event()
    _forget_the_oldest(_left)

    async def events() -> AsyncIterator[str]:
        try:
            for number in range(int(_LONGEST / 0.05)):
                # As large as what a proxy may collect before it writes to TLS, in some events.
                yield f": {'.' * 2048}\ndata: {number}\n\n"
                await asyncio.sleep(_LONGEST if quiet else 0.05)
        finally:
            left.set()

    return StreamingResponse(events(), media_type="text/event-stream")


@router.get("/endless/{token}/left")
async def client_left(token: str, seconds: float = 0) -> dict[str, bool]:
    """Whether `/endless` was asked, and its client has left; waits up to so many seconds for it."""
    left = _left.get(token)
    if left is None:
        return {"asked": False, "left": False}
    try:
        await asyncio.wait_for(left.wait(), min(seconds, _LONGEST))
    except TimeoutError:
        return {"asked": True, "left": False}
    return {"asked": True, "left": True}


def _forget_the_oldest(by_token: dict[str, Any]) -> None:
    """A lab that stays up is asked for ever, each time with other tokens."""
    while len(by_token) > _MOST:
        del by_token[next(iter(by_token))]


@router.websocket("/ws/mirror")
async def mirror(websocket: WebSocket) -> None:
    """Tells the request's query, headers and client, then sends every message back.

    The text `close CODE` closes with this code.
    """
    offered = websocket.scope["subprotocols"]
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    told: dict[str, Any] = {
        key: websocket.scope.get(key) for key in ("scheme", "client", "root_path", "path")
    }
    headers = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in websocket.headers.raw]
    query = websocket.scope["query_string"].decode("latin-1")
    about = {**told, "query_string": query, "headers": headers, "instance": nonce()}
    await websocket.send_json(about)
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text and text.startswith("close "):
            await websocket.close(int(text.removeprefix("close ")))
            return
        try:
            if text is not None:
                await websocket.send_text(text)
            else:
                await websocket.send_bytes(message["bytes"])
        except WebSocketDisconnect:
            return
