"""Prometheus: how many requests, and how long they took, by method, route and status."""

import time

from fastapi import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_NO_ROUTE = "(no route)"


class Metrics:
    """One application's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds until the answer began.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=(0.01, 0.1, 1),  # prometheus-client's own fifteen are more than this needs
        )

    def middleware(self, app: ASGIApp) -> "MetricsMiddleware":
        """What counts the requests to `app`."""
        return MetricsMiddleware(app, self)

    async def expose(self) -> Response:
        """What Prometheus scrapes."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


class MetricsMiddleware:
    """Counts and times every request that passes it.

    By the route's template and not by the path, of which a stranger can invent any number; and so
    with methods.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        root_path = scope.get("root_path", "")
        began = time.perf_counter()
        status = 500  # what the layer outside answers to an exception
        seconds: float | None = None

        async def send_noted(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            labels = (method, _route(scope, root_path), str(status))
            self.metrics.requests.labels(*labels).inc()
            if seconds is None:
                seconds = time.perf_counter() - began
            self.metrics.seconds.labels(*labels).observe(seconds)


def _route(scope: Scope, root_path: str) -> str:
    """The template of the route that answered; a mount has put its own path into root_path."""
    if "route" not in scope or isinstance(scope["route"], Mount):  # which found nothing in itself
        return _NO_ROUTE
    mount: str = scope.get("root_path", "").removeprefix(root_path)
    return mount + str(scope["route"].path)
