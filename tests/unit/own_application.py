"""A small application that is right behind every proxy, and what can be wrong with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

Link = Callable[[Request], str]


def items(request: Request) -> str:
    return str(request.url_for("read_items"))


def shop(folder: Path, link: Link = items, cookie: str = "") -> FastAPI:
    """`link` is what its pages give for the list of items; `cookie`, the path of a cookie."""
    (folder / "style.css").write_text("body {}")
    app = FastAPI(title="Shop")
    app.mount("/static", StaticFiles(directory=folder), name="static")
    app.mount("/sub", sub())

    @app.get("/")
    async def index(request: Request) -> Response:
        style = request.url_for("static", path="style.css")
        page = f'<link href="{style}"><a href="{link(request)}">all</a><a href="#top">top</a>'
        response = HTMLResponse(page)
        if cookie:
            response.set_cookie("session", "1", path=cookie)
        return response

    @app.get("/items/")
    async def read_items(request: Request) -> dict[str, Any]:
        return {"self": str(request.url), "name": "/no/path of ours", "made": ["/etc/hosts"]}

    @app.get("/items/{number}")
    async def read_item(number: int) -> int:
        return number

    @app.post("/orders")
    async def order() -> str:
        return "ordered"

    @app.get("/go")
    async def go(request: Request) -> Response:
        return RedirectResponse(link(request))

    @app.get("/secret")
    async def secret(request: Request) -> Response:
        right = request.headers.get("authorization") == "Bearer right"
        return Response("yes" if right else "no", 200 if right else 401)

    @app.get("/broken")
    async def broken() -> Response:
        return Response(status_code=500)

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    @app.get("/events")
    async def events() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "data: 0\n\n"
            for number in range(1, 4):
                await asyncio.sleep(0.2)
                yield f"data: {number}\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return app


def sub() -> FastAPI:
    app = FastAPI(title="Sub")

    @app.get("/things/")
    async def things(request: Request) -> str:
        return str(request.url)

    return app
