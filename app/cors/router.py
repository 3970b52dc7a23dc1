"""The second fix: no mount. /metrics is a router of the main application, inside its one layer."""

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()

inside = main_app()
inside.include_router(metrics_router(metrics))
inside.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
