"""A fixed prefix, unless any peer sends another."""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.plain import app as plain

app = plain
app = ForwardedPrefixMiddleware(app, prefix="/api/v1", trusted="*")  # type: ignore[assignment]
