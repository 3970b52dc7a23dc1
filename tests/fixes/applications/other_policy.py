"""`app.cors.no_layer` with a policy of its own: for pages of one origin alone, without cookies."""

from fastapi.middleware.cors import CORSMiddleware

from app.cors.no_layer import app
from app.cors.parts import MAIN

app.add_middleware(CORSMiddleware, allow_origins=[MAIN])
