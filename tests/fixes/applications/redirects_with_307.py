"""Redirects to the slash itself, with a status that keeps method and body."""

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from app.shared import build_app


async def to_the_slash(request: Request) -> RedirectResponse:
    url = request.url.replace(path=f"{request.url.path}/")
    return RedirectResponse(url, status_code=307)


app = build_app()
app.router.routes.insert(0, Route("/items", to_the_slash, methods=["GET", "POST"]))
