"""Strategy `forwarded-prefix`: our middleware puts the prefix into the ASGI scope.

It stands outside everything that replaces the peer's address by the client's. Uvicorn replaces it
before any application sees it, so under Uvicorn no header is believed and the prefix is fixed.
"""

import os

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.proxy_fix import behind_proxy
from app.shared import PREFIX, create_app

PROXIES = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

plain = create_app()

app = ForwardedPrefixMiddleware(plain, prefix=PREFIX, trusted="")

proxied = ForwardedPrefixMiddleware(behind_proxy(plain), prefix=PREFIX, trusted=PROXIES)
