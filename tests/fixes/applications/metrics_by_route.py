"""Counts by the template of the route that answered; what no route answered is one series."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors, main_app, metrics_router
from app.instance import InstanceMiddleware

metrics = Metrics()


class Counting:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope["route"].path if "route" in scope else "(no route)"
                labels = (scope["method"], route, str(message["status"]))
                metrics.requests.labels(*labels).inc()
                metrics.seconds.labels(*labels).observe(0)
            await send(message)

        await self.app(scope, receive, sent)


inside = main_app()
inside.include_router(metrics_router(metrics))
inside.add_middleware(Layer, name="prometheus", middleware=Counting)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors(MAIN, METRICS)))
