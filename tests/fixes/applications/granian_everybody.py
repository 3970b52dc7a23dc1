"""Granian's own wrapper, believing everybody."""

from granian.utils.proxies import wrap_asgi_with_proxy_headers

from app.plain import app as plain

app = plain
app = wrap_asgi_with_proxy_headers(app, trusted_hosts="*")
