"""Strategies `none` and `server-option`: the application itself knows nothing of a prefix.

With `server-option`, the server tells it: `uvicorn --root-path /api/v1 app.plain:app`.
"""

from app.shared import create_app

app = create_app()
