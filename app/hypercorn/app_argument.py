"""`app.app_argument` behind a proxy, under Hypercorn."""

from app import app_argument
from app.hypercorn.proxy_fix import behind_proxy

app = behind_proxy(app_argument.app)
