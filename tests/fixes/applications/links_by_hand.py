"""Every way to write a URL by hand, in one page."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

app = FastAPI()


@app.get("/", response_class=HTMLResponse)
async def read_root(request: Request) -> str:
    root_path = request.scope["root_path"]
    host = request.url.hostname
    urls = [
        "/drops-prefix/",
        f"{root_path}{request.url.path}prefix-twice/",
        "http://localhost:8000/wrong-host/",
        f"{request.url.scheme}://{host}{root_path}/drops-port/",
        f"{request.url.scheme}://{host}:8000{root_path}/wrong-port/",
        f"http://{request.url.netloc}{root_path}/wrong-scheme/",
    ]
    return "".join(f'<a href="{url}">{url}</a>' for url in urls)


@app.get("/{name}/")
async def read_page(name: str) -> str:
    return name
