"""Cookies for paths without the prefix."""

from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/items/")
async def read_items(response: Response) -> list[str]:
    response.set_cookie("session", "1", path="/items")
    response.set_cookie("theme", "dark", path="/items")
    return ["plumbus"]
