"""What the texts say for Hypercorn: who the proxy is stands in FORWARDED_ALLOW_IPS."""

from starlette.types import ASGIApp

from app.hypercorn.proxy_fix import behind_proxy
from app.plain import app as plain

app: ASGIApp = plain
app = behind_proxy(app)
