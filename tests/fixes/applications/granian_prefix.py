"""What the texts say for Granian behind a proxy that sends X-Forwarded-Prefix."""

from starlette.types import ASGIApp

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.granian.plain import app as wrapped

app: ASGIApp = wrapped
app = ForwardedPrefixMiddleware(app, trusted="127.0.0.1")
