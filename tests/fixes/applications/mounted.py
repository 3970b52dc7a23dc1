"""The whole application mounted under a name, with its links made as before."""

from starlette.applications import Starlette
from starlette.routing import Mount

from app.shared import build_app

app = Starlette(routes=[Mount("/", build_app(), name="main")])
