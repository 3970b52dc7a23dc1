"""`app.mount` behind a proxy, under Granian."""

from app import mount
from app.granian.proxy_headers import behind_proxy

app = behind_proxy(mount.app)
