"""`app.mount` behind a proxy, under Hypercorn."""

from app import mount
from app.hypercorn.proxy_fix import behind_proxy

app = behind_proxy(mount.app)
