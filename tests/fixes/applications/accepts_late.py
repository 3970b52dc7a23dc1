"""A WebSocket that waits for a first message before it accepts: none can come."""

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.shared import build_app, describe


async def read(websocket: WebSocket) -> None:
    await websocket.receive()  # that somebody wants to connect
    await websocket.receive()
    await websocket.send_json(describe(websocket))


app = build_app()
app.router.routes.insert(0, WebSocketRoute("/ws", read))
