"""The same, for the application's own paths and for every path of the host."""

from fastapi import FastAPI, Request, Response

app = FastAPI()


@app.get("/items/")
async def read_items(request: Request, response: Response) -> list[str]:
    response.set_cookie("session", "1", path=request.scope["root_path"])
    response.set_cookie("theme", "dark", path="/")
    return ["plumbus"]
