"""`app.plain` behind a proxy, under Hypercorn."""

from app import plain
from app.proxy_fix import behind_proxy

app = behind_proxy(plain.app)
