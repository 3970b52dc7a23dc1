"""What the variants are made from: two small applications, and layers that name themselves."""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cors.metrics import Metrics
from app.shared import Application, read_app, read_items, read_scope

MAIN, METRICS = "http://main.co.kr", "http://metrics.co.kr"

_PASSED = "hoplab.middleware"


def cors(*origins: str) -> Callable[[ASGIApp], ASGIApp]:
    """CORSMiddleware with the policy of the post: these origins, with cookies."""
    return partial(
        CORSMiddleware,
        allow_origins=origins,
        allow_credentials=True,
        allow_methods=["GET"],
        allow_headers=["X-Requested-With"],
    )


def main_app() -> FastAPI:
    """The main application: `/items/`, and `/fail` for a 500 of its own."""
    app = Application(title="Main")
    app.add_api_route("/items/", read_items)
    app.add_api_route("/app", read_app)  # where compose.yaml looks whether it is up
    app.add_api_route("/scope", read_scope)
    app.add_api_route("/fail", fail)
    return app


def metrics_app(metrics: Metrics) -> FastAPI:
    """The Prometheus application, to be mounted."""
    app = FastAPI(title="Metrics")
    app.add_api_route("/", metrics.expose)
    app.add_api_route("/fail", fail)
    return app


def metrics_router(metrics: Metrics) -> APIRouter:
    """The same as routes: `/metrics` with and without a slash, so that nothing is redirected."""
    router = APIRouter(prefix="/metrics")
    router.add_api_route("", metrics.expose)
    router.add_api_route("/", metrics.expose, include_in_schema=False)
    router.add_api_route("/fail", fail)
    return router


class OnPurposeError(RuntimeError):
    """What `/fail` raises; InstanceMiddleware keeps its traceback out of the server's log."""

    on_purpose = True


async def fail() -> None:
    """An error that nobody foresaw."""
    raise OnPurposeError


class Layer:
    """A middleware that writes its name into X-Middleware: `>` as the request goes in, `<` out."""

    def __init__(self, app: ASGIApp, name: str, middleware: Callable[[ASGIApp], ASGIApp]) -> None:
        self.name = name
        self.middleware = middleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.middleware(scope, receive, send)
            return
        passed: list[str] = scope.setdefault(_PASSED, [])
        passed.append(f">{self.name}")

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                passed.append(f"<{self.name}")
                MutableHeaders(scope=message)["X-Middleware"] = " ".join(passed)
            await send(message)

        await self.middleware(scope, receive, send_named)
