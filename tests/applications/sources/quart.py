from quart import Quart, redirect, url_for

app = Quart(__name__)


@app.get("/")
async def index():
    return f'<a href="{url_for("items")}">Items</a> <a href="{url_for("old")}">Old</a>'


@app.get("/old")
async def old():
    return redirect(url_for("items"))


@app.get("/items/")
async def items():
    return {"items": ["plumbus"]}
