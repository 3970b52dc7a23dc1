"""A post's own code, call for call: the mounted /metrics, and the two fixes that it proposes.

The post: https://velog.io/@jaeha1099/FastAPI에서-APP-Mount-CORSMiddleware. It shows neither imports
nor its two middlewares, which stand here and only pass requests on. docs/cors.md says what each
listing does: `uvicorn app.cors.post.problem:app`.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class PassOn:
    """A middleware that changes nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class LoggiMiddleware(PassOn):
    """Named so in the post."""


class MetricsMiddleware(PassOn):
    """Counts requests, in the post."""
