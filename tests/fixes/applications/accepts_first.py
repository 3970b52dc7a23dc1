"""The same, accepted first."""

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.shared import build_app, describe


async def read(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(describe(websocket))
    await websocket.close()


app = build_app()
app.router.routes.insert(0, WebSocketRoute("/ws", read))
