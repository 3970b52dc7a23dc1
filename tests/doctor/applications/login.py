"""A login on everything but /healthz: 401, whatever is asked."""

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

TOKEN = "open-sesame"

app = FastAPI(title="Ledger")


@app.middleware("http")
async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    open_to_all = request.url.path.endswith("/healthz")
    if open_to_all or request.headers.get("authorization") == f"Bearer {TOKEN}":
        return await call_next(request)
    return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})


@app.get("/healthz")
async def health() -> str:
    return "fine"


@app.get("/entries/")
async def entries() -> list[int]:
    return [100, -20]
