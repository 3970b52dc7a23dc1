"""The first fix as most write it, by add_middleware: a 500 of the main one has no headers."""

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_app

metrics = Metrics()

app = main_app()
app.mount("/metrics", metrics_app(metrics))
app.add_middleware(Layer, name="cors", middleware=cors(MAIN, METRICS))
app.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)
