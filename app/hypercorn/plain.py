"""`app.plain` behind a proxy, under Hypercorn."""

from app import plain
from app.hypercorn.proxy_fix import behind_proxy

app = behind_proxy(plain.app)
