"""Two layers in the order of add_middleware: the one that was added last runs first."""

from fastapi import FastAPI

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()

inside = FastAPI()
inside.add_middleware(Layer, name="login", middleware=lambda app: app)
inside.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)
inside.include_router(main_app().router)
inside.include_router(metrics_router(metrics))

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
