"""Every variant with the prefix of X-Forwarded-Prefix: for Hypercorn, behind one that strips."""

from app.cors.both import app as _both
from app.cors.inner_only import app as _inner_only
from app.cors.no_layer import app as _no_layer
from app.cors.route_middleware import app as _route_middleware
from app.cors.router import app as _router
from app.cors.single import app as _single
from app.cors.single_added import app as _single_added
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.proxy_fix import PROXIES, behind_proxy
from app.shared import PREFIX

both = ForwardedPrefixMiddleware(behind_proxy(_both), prefix=PREFIX, trusted=PROXIES)
inner_only = ForwardedPrefixMiddleware(behind_proxy(_inner_only), prefix=PREFIX, trusted=PROXIES)
no_layer = ForwardedPrefixMiddleware(behind_proxy(_no_layer), prefix=PREFIX, trusted=PROXIES)
route_middleware = ForwardedPrefixMiddleware(
    behind_proxy(_route_middleware), prefix=PREFIX, trusted=PROXIES
)
router = ForwardedPrefixMiddleware(behind_proxy(_router), prefix=PREFIX, trusted=PROXIES)
single = ForwardedPrefixMiddleware(behind_proxy(_single), prefix=PREFIX, trusted=PROXIES)
single_added = ForwardedPrefixMiddleware(
    behind_proxy(_single_added), prefix=PREFIX, trusted=PROXIES
)
