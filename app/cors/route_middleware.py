"""Each path under exactly one policy: every mount and route has a middleware of its own.

/metrics without the slash is a route of its own, since the redirect to a mount is in no layer and
browsers follow no redirect of a preflight. OPTIONS stands among its methods because a route answers
405 before it asks its middleware.
"""

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


async def read_metrics(_request: Request) -> Response:
    """The same as `/metrics/`."""
    return await metrics.expose()


inside = Starlette(
    routes=[
        Route("/metrics", read_metrics, methods=["GET", "OPTIONS"], middleware=for_metrics),
        Mount("/metrics", metrics_app(metrics), middleware=for_metrics),
        Mount("/", main_app(), middleware=for_main),
    ],
)
app = InstanceMiddleware(Layer(inside, name="prometheus", middleware=metrics.middleware))
