from litestar import Litestar, get
from litestar.response import Redirect


@get("/old")
async def old() -> Redirect:
    return Redirect(path="/items")


@get("/items")
async def items() -> list[str]:
    return ["plumbus"]


app = Litestar([old, items])
