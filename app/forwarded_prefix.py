"""Strategy `forwarded-prefix`: our middleware puts the prefix into the ASGI scope.

It stands outside everything that replaces the peer's address by the client's. Uvicorn replaces it
before any application sees it, so under Uvicorn no header is believed and the prefix is fixed.
"""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.proxy_fix import PROXIES, behind_proxy
from app.shared import PREFIX, create_app

plain = create_app()

app = ForwardedPrefixMiddleware(plain, prefix=PREFIX, trusted="")

proxied = ForwardedPrefixMiddleware(behind_proxy(plain), prefix=PREFIX, trusted=PROXIES)

# `fastapi run` takes a FastAPI object alone. Middleware is added last, to be the outermost.
with_middleware = create_app()
with_middleware.add_middleware(ForwardedPrefixMiddleware, prefix=PREFIX, trusted="")
