"""The second fix: a route and no mount. It can't be imported: NameError."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app.cors.post import LoggiMiddleware, MetricsMiddleware

app = FastAPI()

app.add_middleware(
    CORSMiddleware,
    allow_origins=["http://main.co.kr"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
app.add_middleware(LoggiMiddleware)
app.add_middleware(MetricsMiddleware)


# The mounted application is gone, and its name is still used.
@metrics_app.get("/metrics")  # type: ignore[name-defined, untyped-decorator]  # noqa: F821
def get_prometheus_metrics() -> str:
    """No Prometheus yet."""
    return "Test"
