"""The same page, with URLs made from the request."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

app = FastAPI()
NAMES = ("drops-prefix", "prefix-twice", "wrong-host", "drops-port", "wrong-port", "wrong-scheme")


@app.get("/", response_class=HTMLResponse)
async def read_root(request: Request) -> str:
    urls = [request.url_for("read_page", name=name) for name in NAMES]
    return "".join(f'<a href="{url}">{url}</a>' for url in urls)


@app.get("/{name}/")
async def read_page(name: str) -> str:
    return name
