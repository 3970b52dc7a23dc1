"""The problem: a layer around each application. The outer one decides for both."""

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_app

metrics = Metrics()

mounted = metrics_app(metrics)
mounted.add_middleware(Layer, name="metrics-cors", middleware=cors(METRICS))

app = main_app()
app.mount("/metrics", mounted)
app.add_middleware(Layer, name="main-cors", middleware=cors(MAIN))
app.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)
