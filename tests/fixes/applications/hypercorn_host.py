"""The same where the proxy sends another Host, and sets X-Forwarded-Host itself."""

from app.hypercorn.proxy_fix import behind_proxy
from app.plain import app as plain

app = plain
app = behind_proxy(app, host=True)  # type: ignore[assignment]
