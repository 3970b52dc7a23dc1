"""The same as a response of the type that Prometheus reads."""

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()


async def expose() -> Response:
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


inside = main_app()
inside.add_api_route("/metrics/", expose)
inside.include_router(metrics_router(metrics))
inside.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
