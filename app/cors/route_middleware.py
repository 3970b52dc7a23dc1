"""Each path under exactly one policy: every mount and route has a middleware of its own.

/metrics without the slash is a route of its own, since the redirect to a mount is in no layer and
browsers follow no redirect of a preflight. OPTIONS stands among its methods because a route answers
405 before it asks its middleware. Nobody starts what is mounted: the lifespan is handed on.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_app
from app.instance import InstanceMiddleware

metrics = Metrics()
for_metrics = [Middleware(Layer, name="metrics-cors", middleware=cors(METRICS))]
for_main = [Middleware(Layer, name="main-cors", middleware=cors(MAIN))]


main = main_app()


async def read_metrics(request: Request) -> Response:
    """The same as `/metrics/`; of an OPTIONS that is no preflight, what may be asked."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
    return await metrics.expose()


@asynccontextmanager
async def started(_app: Starlette) -> AsyncIterator[None]:
    """The main application's own."""
    async with main.router.lifespan_context(main):
        yield


inside = Starlette(
    routes=[
        Route("/metrics", read_metrics, methods=["GET", "OPTIONS"], middleware=for_metrics),
        Mount("/metrics", metrics_app(metrics), middleware=for_metrics),
        Mount("/", main, middleware=for_main),
    ],
    lifespan=started,
)
app = InstanceMiddleware(Layer(inside, name="prometheus", middleware=metrics.middleware))
