"""`app.cors.single`, with a layer that allows every header and so sends all names back."""

from functools import partial

from fastapi.middleware.cors import CORSMiddleware

from app.cors.parts import MAIN, METRICS, Layer
from app.cors.single import inside
from app.instance import InstanceMiddleware

cors = partial(
    CORSMiddleware,
    allow_origins=(MAIN, METRICS),
    allow_credentials=True,
    allow_methods=["GET"],
    allow_headers=["*"],
)

app = InstanceMiddleware(Layer(inside, name="cors", middleware=cors))
