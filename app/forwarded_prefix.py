"""Strategy `forwarded-prefix`: our middleware puts the prefix into the ASGI scope.

From `X-Forwarded-Prefix` if the peer may set it, else the fixed one. The middleware stands outside
everything that replaces the peer's address with the client's.
"""

import os

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.proxy_fix import behind_proxy
from app.shared import PREFIX, create_app

TRUSTED = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

plain = create_app()

app = ForwardedPrefixMiddleware(plain, prefix=PREFIX, trusted=TRUSTED)

proxied = ForwardedPrefixMiddleware(behind_proxy(plain), prefix=PREFIX, trusted=TRUSTED)
