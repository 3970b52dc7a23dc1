"""The same two, listed in the order in which they are to run."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()
login = Middleware(Layer, name="login", middleware=lambda app: app)
prometheus = Middleware(Layer, name="prometheus", middleware=metrics.middleware)

inside = FastAPI(middleware=[login, prometheus])
inside.include_router(main_app().router)
inside.include_router(metrics_router(metrics))

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
