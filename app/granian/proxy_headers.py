"""Forwarded headers under Granian, which reads none by itself but brings a wrapper that does.

The wrapper asks who the peer is. It has to be the outermost layer but for what must see the peer:
it replaces that by the client. `X-Forwarded-Proto` counts only beside `X-Forwarded-For`, and with
`*` the client is the leftmost address: the proxy must overwrite that header, not append to it.
app/hypercorn/proxy_fix.py has neither of these limits, and works under Granian as well.
"""

import os
from ipaddress import ip_network

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.types import ASGIApp

PROXIES = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
"""Addresses and networks with commas, or `*`; empty is nobody. Uvicorn reads the same variable."""


def behind_proxy(app: ASGIApp, trusted: str = PROXIES) -> ASGIApp:
    """`app` behind one proxy that sets X-Forwarded-For and -Proto itself.

    `trusted` are the proxy's addresses and networks; what other peers say is not believed. `*` is
    everybody. The wrapper takes any other text for the name of a peer, which no peer has.
    """
    entries = [entry.strip() for entry in trusted.split(",") if entry.strip()]
    # The wrapper knows `*` alone; beside others it would be a name.
    hosts = ["*"] if "*" in entries else [_without_host_bits(entry) for entry in entries]
    wrapped: ASGIApp = wrap_asgi_with_proxy_headers(app, trusted_hosts=hosts)
    return wrapped


def _without_host_bits(entry: str) -> str:
    try:
        return str(ip_network(entry, strict=False))  # 10.0.0.5/24 would be a name, too
    except ValueError:
        return entry
