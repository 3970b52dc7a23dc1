"""FastAPI's guide, "Additional servers": the server made from root_path is put before these."""

from fastapi import FastAPI, Request

app = FastAPI(
    servers=[
        {"url": "https://stag.example.com", "description": "Staging environment"},
        {"url": "https://prod.example.com", "description": "Production environment"},
    ]
)


@app.get("/app")
async def read_app(request: Request) -> dict[str, str]:
    """The route of the guide."""
    return {"message": "Hello World", "root_path": request.scope.get("root_path", "")}
