"""No CORS in the application: the proxy has the policy."""

from app.cors.metrics import Metrics
from app.cors.parts import Layer, main_app, metrics_router

metrics = Metrics()

app = main_app()
app.include_router(metrics_router(metrics))
app.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)
