"""Strategy `forwarded-prefix` by add_middleware, for `fastapi run`, which takes a FastAPI object.

Added last, to be the outermost. The prefix is fixed, as in app/forwarded_prefix.py: it is Uvicorn.
"""

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.shared import PREFIX, create_app

app = create_app()
app.add_middleware(ForwardedPrefixMiddleware, prefix=PREFIX, trusted="")
