"""A layer around the mounted application alone: the redirect to it and its errors have none."""

from app.cors.metrics import Metrics
from app.cors.parts import METRICS, Layer, cors, main_app, metrics_app

metrics = Metrics()

mounted = metrics_app(metrics)
mounted.add_middleware(Layer, name="metrics-cors", middleware=cors(METRICS))

app = main_app()
app.mount("/metrics", mounted)
app.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)
