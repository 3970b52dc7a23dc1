"""Strategy `forwarded-prefix` under Granian: the prefix is in the proxy's X-Forwarded-Prefix.

Our middleware stands outside: it has to see the peer, which Granian's wrapper replaces by the
client. The fixed prefix is for a proxy that strips nothing, and sends no header.
"""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.granian.proxy_headers import PROXIES, behind_proxy
from app.shared import PREFIX, create_app

app = ForwardedPrefixMiddleware(behind_proxy(create_app()), prefix=PREFIX, trusted=PROXIES)
