"""A route that returns the metrics as text: FastAPI makes JSON of it."""

from prometheus_client import generate_latest

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()


async def expose() -> str:
    return generate_latest(metrics.registry).decode()


inside = main_app()
inside.add_api_route("/metrics/", expose)
inside.include_router(metrics_router(metrics))
inside.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
