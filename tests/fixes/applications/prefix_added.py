"""The same inside the application, for `fastapi run` without an entry point of its own."""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.plain import app

app.add_middleware(ForwardedPrefixMiddleware, prefix="/api/v1", trusted="")
