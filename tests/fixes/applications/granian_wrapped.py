"""What the texts say for Granian: its own wrapper, and whom it may believe."""

from granian.utils.proxies import wrap_asgi_with_proxy_headers

from app.plain import app as plain

app = plain
app = wrap_asgi_with_proxy_headers(app, trusted_hosts="127.0.0.1")
