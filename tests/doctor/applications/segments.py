"""Public under a prefix of two segments, which people write with a slash at its end."""

from fastapi import FastAPI

app = FastAPI(title="Segments", redoc_url=None)


@app.get("/")
async def start() -> dict[str, str]:
    return {"say": "hello"}


@app.get("/rooms/")
async def rooms() -> list[str]:
    return ["north", "south"]
