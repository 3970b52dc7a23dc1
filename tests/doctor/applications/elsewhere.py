"""FastAPI with docs and document at paths of their own, linked from the start page."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

app = FastAPI(
    title="Reference", docs_url="/reference/ui", redoc_url=None, openapi_url="/reference/spec.json"
)


@app.get("/", include_in_schema=False)
async def start(request: Request) -> HTMLResponse:
    return HTMLResponse(f"<a href='{request.url_for('swagger_ui_html')}'>API reference: docs</a>")


@app.get("/measurements/")
async def measurements() -> list[float]:
    return [1.5, 2.5]


@app.get("/measurements/{number}")
async def measurement(number: int) -> float:
    return number / 2
