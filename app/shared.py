"""The routes that every variant of the application serves, and the factory that makes the variants.

Only what differs between the variants stands in their own modules.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import NoMatchFound
from starlette.types import ASGIApp

from app import extra_servers, mirror, no_root_path_in_servers, offline_docs
from app.instance import InstanceMiddleware, nonce

PREFIX = os.environ.get("PUBLIC_PREFIX", "/api/v1")
"""Under which the application is public: as in a URL, percent-encoded."""

PREFIX_DECODED = unquote(PREFIX)
"""The same as ASGI has paths, and so as routes and root_path have it."""

STATIC = Path(__file__).parent / "static"

BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
"""A body that is no JSON, as an OpenAPI document has it."""

router = APIRouter()


@router.get("/")
async def read_root(request: Request) -> dict[str, str]:
    """The bare prefix, for a person who forgot the path. A redirect to it has to keep the query."""
    return {"message": "hoplab: see docs, app, scope", "query": request.url.query}


@router.get("/app")
async def read_app(request: Request) -> dict[str, str]:
    """The route of FastAPI's guide "Behind a Proxy"."""
    return {"message": "Hello World", "root_path": request.scope.get("root_path", "")}


@router.get("/items/")
async def read_items() -> list[str]:
    """Reached as `/items`, Starlette redirects here: the redirect every proxy user meets first."""
    return ["plumbus", "portal gun"]


@router.get(f"{PREFIX_DECODED}/nested", include_in_schema=False)
async def read_nested() -> dict[str, str]:
    """A route that begins with the prefix itself: publicly, the prefix stands there twice."""
    return {"message": "Hello Nested"}


@router.get("/scope")
@router.get("/scope/{rest:path}", include_in_schema=False)
async def read_scope(request: Request) -> JSONResponse:
    """What the server told the application about this request, and what the application derives."""
    return JSONResponse(describe(request))


@router.websocket("/ws")
async def read_scope_over_websocket(websocket: WebSocket) -> None:
    """The same as `/scope`, over a WebSocket."""
    await websocket.accept()
    await websocket.send_json(describe(websocket))
    await websocket.close()


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def read_events(count: int = 3, interval: float = 0.25) -> StreamingResponse:
    """Server-sent events, `interval` seconds apart, each with the time at which it was sent.

    A proxy that buffers delivers the first one when the last has been sent.
    """
    count, interval = min(count, 100), min(interval, 10.0)

    async def events() -> AsyncIterator[str]:
        for number in range(count):
            if number:
                await asyncio.sleep(interval)
            yield f'data: {{"number": {number}, "sent": {time.time()!r}}}\n\n'

    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


@router.post(
    "/echo",
    response_class=Response,
    responses={200: {"content": BYTES}},
    openapi_extra={"requestBody": {"content": BYTES}},
)
async def echo(request: Request) -> Response:
    """The request's body sent back, with the length and SHA-256 of what arrived."""
    body = await request.body()
    headers = {"X-Body-Length": str(len(body)), "X-Body-SHA256": hashlib.sha256(body).hexdigest()}
    return Response(body, media_type="application/octet-stream", headers=headers)


def describe(connection: HTTPConnection) -> dict[str, Any]:
    """The ASGI scope as JSON: text as it is, bytes as latin-1, as RFC 9110 has header values."""
    scope = connection.scope
    try:
        url_for: str | None = str(connection.url_for("read_app"))
        static_url: str | None = str(connection.url_for("static", path="hello.txt"))
    except (
        NoMatchFound
    ):  # a mounted application asks the outer router, which doesn't know its names
        url_for = static_url = None
    return {
        "type": scope["type"],
        "scheme": scope.get("scheme"),
        "client": scope.get("client"),
        "server": scope.get("server"),
        "root_path": scope.get("root_path", ""),
        "app_root_path": scope.get("app_root_path", scope.get("root_path", "")),
        "path": scope["path"],
        "raw_path": scope.get("raw_path", b"").decode("latin-1"),
        "query_string": scope["query_string"].decode("latin-1"),
        "http_version": scope.get("http_version"),
        "extensions": sorted(scope.get("extensions") or ()),
        "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]],
        "url": str(connection.url),
        "base_url": str(connection.base_url),
        "url_for": url_for,
        "static_url": static_url,
        "instance": nonce(),
    }


sub_app = FastAPI(title="A mounted sub-application")


@sub_app.get("/app")
async def read_sub_app(request: Request) -> dict[str, str]:
    """`/app`, seen from inside a mount: root_path is the prefix and the mount's path."""
    return {"message": "Hello Sub", "root_path": request.scope.get("root_path", "")}


@sub_app.get("/items/")
async def read_sub_items() -> list[str]:
    """Reached as `/sub/items`, the sub-application redirects here."""
    return ["fleeb", "schleem"]


@sub_app.websocket("/ws")
async def sub_websocket(websocket: WebSocket) -> None:
    """A WebSocket inside the mount; it has no routes named as in the outer application."""
    await websocket.accept()
    await websocket.send_json(describe(websocket))
    await websocket.close()


class Application(FastAPI):
    """FastAPI whose every response, a 404 or a 500 too, names the instance that gave it."""

    def build_middleware_stack(self) -> ASGIApp:
        # Outside Starlette's ServerErrorMiddleware, where add_middleware can't reach.
        return InstanceMiddleware(super().build_middleware_stack())


def create_app(prefix: str = "", **options: Any) -> Application:
    """The application to serve: `build_app`, or the `app` of the module that APPLICATION names.

    So the variations are served by the same modules as the application under test.
    """
    if other := os.environ.get("APPLICATION"):
        return cast("Application", import_module(other).app)
    return build_app(prefix, **options)


def build_app(prefix: str = "", **options: Any) -> Application:
    """The application under test; `prefix` is put before every route, `options` go to FastAPI."""
    app = Application(title="hoplab", **options)
    app.include_router(router, prefix=prefix)
    app.include_router(mirror.router, prefix=prefix)
    app.mount(f"{prefix}/sub", sub_app, name="sub")
    app.mount(f"{prefix}/extra-servers", extra_servers.app)
    app.mount(f"{prefix}/no-root-path-in-servers", no_root_path_in_servers.app)
    app.mount(f"{prefix}/static", StaticFiles(directory=STATIC), name="static")
    if offline_docs.wanted():
        for each in (app, sub_app, extra_servers.app, no_root_path_in_servers.app):
            offline_docs.serve_offline(each)
    return app
