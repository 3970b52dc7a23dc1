"""Strategy `forwarded-prefix`: our middleware puts the prefix into the ASGI scope.

Uvicorn replaces the peer's address by the client's before any application sees it: nobody could
tell whose header it is. So no header is believed, and the prefix is fixed.
"""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.shared import PREFIX, create_app

app = ForwardedPrefixMiddleware(create_app(), prefix=PREFIX, trusted="")
