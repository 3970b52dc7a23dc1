"""The same, with links made by the mount's name and the route's."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from app.shared import build_app, describe


async def read_scope(request: Request) -> JSONResponse:
    page = request.url_for("main:read_app")
    file = request.url_for("main:static", path="hello.txt")
    return JSONResponse({**describe(request), "url_for": str(page), "static_url": str(file)})


inside = build_app()
inside.router.routes.insert(0, Route("/scope", read_scope))
app = Starlette(routes=[Mount("/", inside, name="main")])
