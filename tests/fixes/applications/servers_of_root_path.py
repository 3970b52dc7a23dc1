"""The same, with FastAPI's own list, which root_path begins."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/items/")
async def read_items() -> list[str]:
    return ["plumbus"]
