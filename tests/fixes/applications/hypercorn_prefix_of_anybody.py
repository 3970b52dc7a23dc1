"""The same, but it believes every peer."""

from starlette.types import ASGIApp

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn.plain import app as wrapped

app: ASGIApp = wrapped
app = ForwardedPrefixMiddleware(app, trusted="*")
