"""Every variant behind a proxy: for Hypercorn, which reads no forwarded headers by itself."""

from app.cors.both import app as _both
from app.cors.inner_only import app as _inner_only
from app.cors.no_layer import app as _no_layer
from app.cors.route_middleware import app as _route_middleware
from app.cors.router import app as _router
from app.cors.single import app as _single
from app.cors.single_added import app as _single_added
from app.proxy_fix import behind_proxy

both = behind_proxy(_both)
inner_only = behind_proxy(_inner_only)
no_layer = behind_proxy(_no_layer)
route_middleware = behind_proxy(_route_middleware)
router = behind_proxy(_router)
single = behind_proxy(_single)
single_added = behind_proxy(_single_added)
