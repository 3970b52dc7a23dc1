"""`hoplab check` of applications that behave badly: a clear answer in bounded time, nothing left.

Those that do not start are in test_check.py.
"""

import socket
import time
from pathlib import Path

import psutil

from tests.commands.test_check import ONE, Check, check, row

__all__ = ["check"]

SECONDS = 300.0
"""How long any of these may take, on a busy machine: most of it waits for the one that hangs."""

EVIL = r"""
import asyncio, os
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

app = FastAPI()

async def without_end(piece, pause):
    while True:
        yield piece
        await asyncio.sleep(pause)

@app.get("/")
async def index():
    return {"text": "/\\ud800", "url": "http://[::1"}

@app.get("/hangs")
async def hangs():
    await asyncio.sleep(1000)

@app.get("/endless")
async def endless():
    return StreamingResponse(without_end(b"x" * 2**16, 0))

@app.get("/drips")
async def drips():
    return StreamingResponse(without_end(b"x", 0.5))

@app.get("/events")
async def events():
    return StreamingResponse(without_end(b"data: x\n\n", 0.2), media_type="text/event-stream")

@app.get("/loop")
async def loop():
    return RedirectResponse("loop")

@app.get("/further")
async def further(n: int = 0):
    return RedirectResponse(f"further?n={n + 1}")

@app.get("/binary")
async def binary():
    return Response(os.urandom(1000), media_type="application/json")

@app.get("/invalid")
async def invalid():
    return Response('{"a": ', media_type="application/json")

@app.get("/deep")
async def deep():
    return Response("[" * 10**5 + "]" * 10**5, media_type="application/json")

@app.get("/page")
async def page():
    return HTMLResponse("<base href='http://[::1'><a href='" + "x" * 10**5 + "\0'>" * 3)

@app.get("/headers")
async def headers():
    told = {"Location": "http://[::1", "Link": "<<<>", "Set-Cookie": "a b=c; Path="}
    return Response(headers=told)

@app.get("/fails")
async def fails():
    raise ValueError("x")
"""


def test_endless_hanging_looping_and_garbled_answers(check: Check) -> None:
    began = time.monotonic()

    done = check(*ONE, main=EVIL)

    assert done.returncode == 0, done.stdout + done.stderr
    assert set(row(done).values()) == {"✓", "-"}
    assert row(done)["events"] == "✓"
    assert "1 gave no answer in time, without a proxy too" in done.stdout
    assert "2 are longer than 1 MiB, or have no end" in done.stdout
    assert "1 answer 5xx without a proxy too" in done.stdout
    assert time.monotonic() - began < SECONDS
    assert psutil.Process().memory_info().rss < 2**30


FAILS_EVERYWHERE = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    raise OSError("no database")
"""


def test_500_everywhere_is_not_judged(check: Check) -> None:
    done = check(*ONE, main=FAILS_EVERYWHERE)

    assert done.returncode == 3
    assert "answer 5xx without a proxy too" in done.stdout
    assert "Nothing of the application was judged" in done.stdout


ENDS = """
import os, sys
from fastapi import FastAPI

app = FastAPI()

@app.get("/first")
async def first():
    return 1

@app.get("/ends")
async def ends():
    {how}
"""


def test_a_route_that_ends_the_process_is_named(check: Check) -> None:
    done = check(*ONE, main=ENDS.format(how="os._exit(4)"))

    assert (done.returncode, done.stdout) == (3, "")
    assert "The application ended when it was asked for /ends: " in done.stderr


def test_sys_exit_in_a_route_is_its_500(check: Check) -> None:
    done = check(*ONE, main=ENDS.format(how="sys.exit('enough')"))

    assert done.returncode == 0, done.stdout
    assert "1 answer 5xx without a proxy too" in done.stdout


MANY = """
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

def hello(request):
    return PlainTextResponse("hello")

app = FastAPI(openapi_url=None)
app.add_route("/", hello)
for number in range(10_000):
    app.add_route(f"/{number}", hello)
"""
"""Of Starlette, which stand in the same table: FastAPI's take two seconds to make."""


def test_ten_thousand_routes_are_asked_in_part(check: Check) -> None:
    done = check(*ONE, main=MANY)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 paths asked in 1 topology" in done.stdout
    assert "were left out by --max-requests" in done.stdout


ELSEWHERE = """
import os
from fastapi import FastAPI

app = FastAPI()
os.chdir("/")

@app.get("/")
async def index():
    return {"items": "/items"}

@app.get("/items")
async def items():
    return os.getcwd()
"""


def test_one_that_changes_the_directory(check: Check) -> None:
    done = check(*ONE, main=ELSEWHERE)

    assert done.returncode == 1
    assert "(index, main.py:8)" in " ".join(done.stdout.split())


BINDS = """
import socket
from fastapi import FastAPI

app = FastAPI()
mine = socket.create_server(("127.0.0.1", {port}))
"""


def test_one_that_binds_a_port_of_its_own(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    done = check(*ONE, main=BINDS.format(port=port))

    assert (done.returncode, done.stdout) == (3, "")
    assert "main:app can't be imported:" in done.stderr
    assert "it can't bind a port of its own when it is imported" in done.stderr


FORKS = """
import os, signal, time
from fastapi import FastAPI

app = FastAPI()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open("child-%d" % os.getpid(), "w"):
        pass
    time.sleep(1000)
    os._exit(0)

@app.get("/")
def index():
    return "hello"
"""


def test_one_that_forks_leaves_nothing_behind(check: Check, tmp_path: Path) -> None:
    done = check(*ONE, main=FORKS)

    assert done.returncode == 0, done.stdout + done.stderr
    children = [int(file.name.partition("-")[2]) for file in tmp_path.glob("child-*")]
    assert children
    left = [p for p in psutil.process_iter(["pid", "status"]) if p.info["pid"] in children]
    assert not [p for p in left if p.info["status"] != psutil.STATUS_ZOMBIE]
