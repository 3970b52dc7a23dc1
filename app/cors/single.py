"""The first fix: one layer, around everything; one policy for both applications.

Around, and not by add_middleware: that is inside the middleware that answers 500.
"""

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_app
from app.instance import InstanceMiddleware

metrics = Metrics()

inside = main_app()
inside.mount("/metrics", metrics_app(metrics))
inside.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
