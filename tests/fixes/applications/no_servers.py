"""An OpenAPI document that names no servers."""

from fastapi import FastAPI

app = FastAPI(root_path_in_servers=False)


@app.get("/items/")
async def read_items() -> list[str]:
    return ["plumbus"]
