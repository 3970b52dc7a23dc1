"""Several routers and several mounted applications."""

from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

users, orders = APIRouter(prefix="/users"), APIRouter(prefix="/orders")


@users.get("/")
async def all_users() -> list[str]:
    return ["ada", "grace"]


@users.get("/me")
async def myself() -> str:
    return "ada"


@orders.get("/open")
async def open_orders() -> list[int]:
    return [7]


second = FastAPI(title="Second version")


@second.get("/things/")
async def things() -> list[str]:
    return ["thing"]


async def board(_: Request) -> Response:
    return PlainTextResponse("all is well")


app = FastAPI(title="Many")
app.include_router(users)
app.include_router(orders)
app.mount("/second", second)
app.mount("/board", Starlette(routes=[Route("/", board)]))
