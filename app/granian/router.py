"""`app.router` behind a proxy, under Granian."""

from app import router
from app.granian.proxy_headers import behind_proxy

app = behind_proxy(router.app)
