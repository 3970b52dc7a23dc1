"""Every variant with a fixed prefix: for Uvicorn, behind a proxy that strips nothing."""

from app.cors.both import app as _both
from app.cors.inner_only import app as _inner_only
from app.cors.no_layer import app as _no_layer
from app.cors.route_middleware import app as _route_middleware
from app.cors.router import app as _router
from app.cors.single import app as _single
from app.cors.single_added import app as _single_added
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.shared import PREFIX

both = ForwardedPrefixMiddleware(_both, prefix=PREFIX, trusted="")
inner_only = ForwardedPrefixMiddleware(_inner_only, prefix=PREFIX, trusted="")
no_layer = ForwardedPrefixMiddleware(_no_layer, prefix=PREFIX, trusted="")
route_middleware = ForwardedPrefixMiddleware(_route_middleware, prefix=PREFIX, trusted="")
router = ForwardedPrefixMiddleware(_router, prefix=PREFIX, trusted="")
single = ForwardedPrefixMiddleware(_single, prefix=PREFIX, trusted="")
single_added = ForwardedPrefixMiddleware(_single_added, prefix=PREFIX, trusted="")
