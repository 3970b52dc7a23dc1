"""`app.app_argument` behind a proxy, under Granian."""

from app import app_argument
from app.granian.proxy_headers import behind_proxy

app = behind_proxy(app_argument.app)
