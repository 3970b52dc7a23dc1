"""FastAPI behind ForwardedPrefixMiddleware."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from tests.unit.forwarded_prefix import PROXY, Message, Scope, a_scope


def fastapi_app() -> FastAPI:
    sub = FastAPI()

    async def read_items(request: Request) -> list[str]:
        return [request.scope["root_path"], str(request.url)]

    async def answer(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.scope["root_path"])
        await websocket.close()

    app = FastAPI()
    for some in (app, sub):
        some.get("/items/")(read_items)
        some.websocket("/ws")(answer)
    app.get("/api/v1/items/")(read_items)  # looks like the prefix: starlette#2400
    app.mount("/sub", sub)
    return app


def ask(scope: Scope, **options: Any) -> tuple[int, str, str]:
    """Status, Location and body of FastAPI's answer; for a WebSocket its first message is the body.

    With `add_middleware=True` the middleware is added to the application, not wrapped around it.
    """
    core = fastapi_app()
    options.setdefault("trusted", PROXY[0])
    if options.pop("add_middleware", False):
        core.add_middleware(ForwardedPrefixMiddleware, **options)
        app: Any = core
    else:
        app = ForwardedPrefixMiddleware(core, **options)
    return answer(app, scope)


def answer(app: Any, scope: Scope) -> tuple[int, str, str]:
    """The same, of any ASGI application."""
    sent: list[Message] = []
    kind = scope["type"]

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    headers = dict(start.get("headers", []))
    body = b"".join(message.get("body", b"") for message in rest).decode()
    text = next((m["text"] for m in rest if "text" in m), body)
    status = 101 if start["type"] == "websocket.accept" else start.get("status", 403)
    return status, headers.get(b"location", b"").decode(), text


BY = [
    pytest.param("", {"headers": [b"/api/v1"]}, {}, id="strip-header"),
    pytest.param("", {"headers": [b"/api/v1"]}, {"add_middleware": True}, id="strip-added"),
    pytest.param("", {}, {"prefix": "/api/v1"}, id="strip-fixed"),
    pytest.param("/api/v1", {}, {"prefix": "/api/v1", "trusted": ""}, id="preserve-fixed"),
]


@pytest.mark.parametrize(("before", "sent", "options"), BY)
@pytest.mark.parametrize("mount", ["", "/sub"])
def test_fastapi_behind_the_middleware(
    before: str, sent: dict[str, list[bytes]], options: dict[str, Any], mount: str
) -> None:
    def at(path: str, kind: str = "http") -> tuple[int, str, str]:
        headers = sent.get("headers", [])
        scope = a_scope(before + mount + path, *headers, type=kind, scheme="https")
        return ask(scope, **options)

    public = f"https://app.example/api/v1{mount}"

    assert at("/items") == (307, f"{public}/items/?q=1", "")
    status, _, body = at("/items/")
    assert (status, json.loads(body)) == (200, [f"/api/v1{mount}", f"{public}/items/?q=1"])
    assert f"url: '/api/v1{mount}/openapi.json'" in at("/docs")[2]
    assert json.loads(at("/openapi.json")[2])["servers"] == [{"url": f"/api/v1{mount}"}]
    assert at("/ws", "websocket") == (101, "", f"/api/v1{mount}")


def test_a_route_that_begins_with_the_prefix_keeps_its_own_path() -> None:
    status, location, _ = ask(a_scope("/api/v1/items", b"/api/v1"))

    assert (status, location) == (307, "http://app.example/api/v1/api/v1/items/?q=1")


@pytest.mark.parametrize(
    "headers", [pytest.param([b"/api/v1"], id="prefix"), pytest.param([], id="no-prefix")]
)
def test_tracing_sees_route_and_endpoint_inside_only(headers: list[bytes]) -> None:
    seen: list[tuple[str, set[str]]] = []

    def tracing(app: Any, name: str) -> Any:
        async def traced(scope: Scope, receive: Any, send: Any) -> None:
            await app(scope, receive, send)
            seen.append((f"{name} {scope['path']}", {"route", "endpoint"} & scope.keys()))

        return traced

    core = fastapi_app()
    core.add_middleware(tracing, name="inside")
    app = tracing(ForwardedPrefixMiddleware(core, trusted="*"), "outside")
    answer(app, a_scope("/items/", *headers, root_path=""))

    public = "/api/v1/items/" if headers else "/items/"
    assert seen == [(f"inside {public}", {"route", "endpoint"}), ("outside /items/", set())]


@pytest.mark.parametrize("value", [b"//evil.example", b"/a';alert(1)//", b"/%27;alert(1);%27"])
def test_no_spoofed_prefix_reaches_redirects_or_pages(value: bytes) -> None:
    assert ask(a_scope("/items", value))[1] == "http://app.example/items/?q=1"
    assert "url: '/openapi.json'" in ask(a_scope("/docs", value))[2]
