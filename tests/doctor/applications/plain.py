"""Plain Starlette: no OpenAPI document, no docs page. A start page with a link."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route


async def start(request: Request) -> Response:
    catalogue, about = request.url_for("catalogue"), request.url_for("about")
    return HTMLResponse(
        f"<!doctype html><title>Shop</title><a href='{catalogue}'>All</a> <a href='{about}'>Us</a>"
    )


async def catalogue(_: Request) -> Response:
    return PlainTextResponse("teapots, kettles")


async def about(_: Request) -> Response:
    return PlainTextResponse("since 1998")


app = Starlette(
    routes=[
        Route("/", start, name="start"),
        Route("/catalogue/", catalogue, name="catalogue"),
        Route("/about", about, name="about"),
    ]
)
