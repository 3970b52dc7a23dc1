"""Variation `hypercorn-proxy-fix-added`: ProxyFixMiddleware inside the application.

It belongs around it, as in app/hypercorn/proxy_fix.py. Here it gets the scope when Starlette has
put the application into it, and can't make a deep copy of both (hypercorn#179, hypercorn#367).
"""

from typing import Any, cast

from hypercorn.middleware import ProxyFixMiddleware

from app.shared import create_app

app = create_app()
app.add_middleware(cast("Any", ProxyFixMiddleware), mode="legacy", trusted_hops=1)
