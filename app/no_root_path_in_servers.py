"""FastAPI's guide, "Disable automatic server from root_path"."""

from fastapi import FastAPI, Request

app = FastAPI(
    servers=[{"url": "https://prod.example.com", "description": "Production environment"}],
    root_path_in_servers=False,
)


@app.get("/app")
async def read_app(request: Request) -> dict[str, str]:
    """The route of the guide."""
    return {"message": "Hello World", "root_path": request.scope.get("root_path", "")}
