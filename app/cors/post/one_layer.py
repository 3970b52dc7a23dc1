"""The first fix: the mounted application's CORSMiddleware goes. So does its only allowed origin."""

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

metrics_app = FastAPI()

app.mount("/metrics", metrics_app)


@metrics_app.get("/")
def get_prometheus_metrics() -> str:
    """No Prometheus yet."""
    return "Test"
