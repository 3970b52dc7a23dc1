"""The main application with its policy around it, as the texts write it."""

from fastapi.middleware.cors import CORSMiddleware

from app.cors.parts import MAIN, METRICS
from app.cors.single import inside
from app.instance import InstanceMiddleware

app = inside
app = CORSMiddleware(  # type: ignore[assignment]
    app,
    allow_origins=(MAIN, METRICS),
    allow_credentials=True,
    allow_methods=["GET"],
    allow_headers=["X-Requested-With"],
)
app = InstanceMiddleware(app)  # type: ignore[assignment]
