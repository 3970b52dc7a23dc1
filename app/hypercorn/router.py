"""`app.router` behind a proxy, under Hypercorn."""

from app import router
from app.hypercorn.proxy_fix import behind_proxy

app = behind_proxy(router.app)
