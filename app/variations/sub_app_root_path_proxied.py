"""`app.variations.sub_app_root_path` behind a proxy, under Hypercorn."""

from app.proxy_fix import behind_proxy
from app.variations import sub_app_root_path

app = behind_proxy(sub_app_root_path.app)
