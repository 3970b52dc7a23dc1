"""The same, with the public prefix as a server of the author's."""

from fastapi import FastAPI

app = FastAPI(root_path_in_servers=False, servers=[{"url": "/api/v1"}])


@app.get("/items/")
async def read_items() -> list[str]:
    return ["plumbus"]
