"""Variation `sub-app-root-path`: the mounted sub-application has a root_path of its own.

It is as if nobody had mounted it: FastAPI puts its own root_path in the place of the mount's.
"""

import warnings

from fastapi import FastAPI
from fastapi.exceptions import FastAPIDeprecationWarning
from starlette.routing import Mount

from app import shared

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FastAPIDeprecationWarning)  # it is shown on purpose
    sub_app = FastAPI(title="A sub-application with a root_path", root_path="/sub")

sub_app.include_router(shared.sub_app.router)

app = shared.build_app()
app.router.routes.insert(0, Mount("/sub", sub_app))  # before the right one
