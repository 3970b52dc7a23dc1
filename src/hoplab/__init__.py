"""hoplab: what happens to an ASGI application when a reverse proxy stands in front of it."""

__version__ = "0.1.0"
