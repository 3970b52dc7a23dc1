"""Strategy `forwarded-prefix` under Hypercorn: the prefix is in the proxy's X-Forwarded-Prefix.

Our middleware stands outside: it has to see the peer, which behind_proxy replaces by the client.
The fixed prefix is for a proxy that strips nothing, and sends no header.
"""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn.proxy_fix import PROXIES, behind_proxy
from app.shared import PREFIX, create_app

app = ForwardedPrefixMiddleware(behind_proxy(create_app()), prefix=PREFIX, trusted=PROXIES)
