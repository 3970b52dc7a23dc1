"""Hypercorn's own wrapper, told of one proxy more than there is."""

from hypercorn.middleware import ProxyFixMiddleware

from tests.fixes.applications.hypercorn_alone import inside, without

app = without(ProxyFixMiddleware(inside, mode="legacy", trusted_hops=2))
