"""`app.plain` behind a proxy, under Granian."""

from app import plain
from app.granian.proxy_headers import behind_proxy

app = behind_proxy(plain.app)
