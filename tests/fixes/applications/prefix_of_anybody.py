"""A middleware that believes every peer's X-Forwarded-Prefix."""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.plain import app as plain

app = plain
app = ForwardedPrefixMiddleware(app, trusted="*")  # type: ignore[assignment]
