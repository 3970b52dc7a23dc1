"""A policy written by hand: it names the origin, and no answer says that it depends on that."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, main_app, metrics_app
from app.instance import InstanceMiddleware

metrics = Metrics()
main = main_app()
main.mount("/metrics", metrics_app(metrics))
main.add_middleware(Layer, name="prometheus", middleware=metrics.middleware)


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await main(scope, receive, send)
        return
    headers = Headers(scope=scope)
    origin = headers.get("Origin")
    allowed = origin in {MAIN, METRICS}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and allowed:
            own = MutableHeaders(scope=message)
            own["Access-Control-Allow-Origin"] = origin or ""
            own["Access-Control-Allow-Credentials"] = "true"
            own["Access-Control-Allow-Methods"] = "GET"
            own["Access-Control-Allow-Headers"] = "X-Requested-With"
        await send(message)

    if scope["method"] == "OPTIONS" and "Access-Control-Request-Method" in headers:
        await Response()(scope, receive, sent)
    else:
        await main(scope, receive, sent)


app = InstanceMiddleware(inside)
