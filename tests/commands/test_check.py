"""`hoplab check`: applications that nobody here knows, as processes, behind real proxies."""

import json
import re
import time
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree as ET

import psutil
import pytest

from hoplab.client.probe import WHO_ANSWERED
from hoplab.engines import process
from hoplab.engines.launching import Launcher
from hoplab.results import Verdict
from hoplab.results_file import load as load_results
from hoplab.suites.own import CHECKS
from tests.catalogue import CATALOGUE, ROOT
from tests.commands.launchers import left_behind
from tests.commands.run import hoplab
from tests.reports import overview

PAGE = (ROOT / "docs/check.md").read_text()
ONE = ["--proxy", "nginx", "--server", "uvicorn", "--mode", "strip"]
"""The fewest processes."""

Check = Callable[..., CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """`hoplab check main:app …`, with these files in the working directory."""
    monkeypatch.chdir(tmp_path)
    before = {p.pid for p in psutil.process_iter()}

    def run(
        *options: str, files: dict[str, str] | None = None, name: str = "main:app", **source: str
    ) -> CompletedProcess[str]:
        for file, text in {**{f"{k}.py": v for k, v in source.items()}, **(files or {})}.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = hoplab("check", name, *options)
        assert "Traceback" not in done.stderr
        assert left_behind(before) == []
        return done

    return run


def row(done: CompletedProcess[str], topology: str = "nginx-uvicorn-strip") -> dict[str, str]:
    """The signs of a topology, by question."""
    [line] = [each for each in done.stdout.splitlines() if each.startswith(f"{topology} ")]
    return dict(zip(CHECKS, line.split()[1:], strict=True))


# --- what the page shows ---


def shown(command: str) -> list[str]:
    after = PAGE.split(f"$ {command}\n")[1].splitlines()
    return list(takewhile(lambda line: line != "```", after))


def comparable(line: str) -> str:
    return re.sub(r"\(\d+\.\d s\)$", "(… s)", line)


def test_the_example_of_the_page(check: Check) -> None:
    source = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    [command] = re.findall(r"^\$ hoplab check (main:app --prefix /shop)$", PAGE, re.MULTILINE)

    done = check(*command.split()[1:], main=source, files={"static/style.css": "body {}"})

    assert done.returncode == 1
    assert [comparable(line) for line in done.stdout.splitlines()] == [
        comparable(line) for line in shown(f"hoplab check {command}")
    ]
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_the_failure_of_the_page(check: Check) -> None:
    files = {
        "shop/asgi.py": "from shop.settings import DATABASE\n",
        "shop/settings.py": 'import os\n\nDATABASE = os.environ["DATABASE_URL"]\n',
    }

    done = check(files=files, name="shop.asgi:application")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines() == shown("hoplab check shop.asgi:application")


def test_the_page_lists_every_question_and_its_symptoms() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE))

    assert list(rows) == list(CHECKS)
    for name, function in CHECKS.items():
        _, _, told = (function.__doc__ or "").partition("Symptom")
        named = re.findall(r"`([a-z0-9-]+)`", rows[name])
        assert named == re.findall(r"`([a-z0-9-]+)`", told), name
        assert not set(named) & set(WHO_ANSWERED)


def test_the_page_lists_every_option() -> None:
    told = set(re.findall(r"(--[a-z-]+)", hoplab("check", "--help").stdout)) - {"--help"}

    assert told - {"--output"} <= set(re.findall(r"(--[a-z-]+)", PAGE))


# --- applications ---

RIGHT = """
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

app = FastAPI()
app.mount("/static", StaticFiles(directory="static"), name="static")
sub = FastAPI()
app.mount("/sub", sub)

@sub.get("/things/")
async def things(request: Request):
    return str(request.url)

@app.get("/", response_class=HTMLResponse)
async def index(request: Request):
    return f'<link href="{request.url_for("static", path="style.css")}"><a href="sub/things">'

@app.websocket("/ws")
async def ws(websocket: WebSocket):
    await websocket.accept()
"""
STYLE = {"static/style.css": "body {}"}


@pytest.mark.parametrize("prefix", ["/api", "/café/v1"])
def test_one_that_is_right_works_everywhere(check: Check, prefix: str) -> None:
    more = ["--proxy", "caddy", "--proxy", "nginx", "--server", "granian", "--server", "fastapi"]

    done = check("--prefix", prefix, *more, main=RIGHT, files=STYLE)

    assert done.returncode == 0, done.stdout
    assert set(row(done, "caddy-granian-strip").values()) == {"✓", "-"}
    assert done.stdout.count("\ncaddy-") + done.stdout.count("\nnginx-") == 8
    assert "problem" not in done.stdout


BARE = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"].endswith("/broken"):
        raise ValueError("broken")
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"hello"})
"""


def test_a_bare_function(check: Check) -> None:
    done = check(*ONE, main=BARE)

    assert done.returncode == 0, done.stdout
    assert row(done)["scope"] == "✓"
    assert row(done)["docs"] == "-"


STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, HTMLResponse
from starlette.routing import Route

async def index(request):
    return RedirectResponse("/home")

async def home(request):
    return HTMLResponse('<form action="http://localhost:9/save">')

def make():
    return Starlette(routes=[Route("/", index), Route("/home", home)])
"""


def test_a_factory_of_starlette_without_openapi(check: Check) -> None:
    done = check("--factory", *ONE, main=STARLETTE, name="main:make")

    assert done.returncode == 1
    told = " ".join(done.stdout.split())
    assert "/: the Location header is /home, which leads to /home, expected /api/v1/home" in told
    assert "(index, main.py:6)" in told
    assert "/home: <form action> is http://localhost:9/save, expected a URL below" in told
    assert "from: the application: its ASGI scope is right (see scope)" in told


def test_a_package_of_the_lab_s_name_is_the_person_s(check: Check) -> None:
    """And its variables, of which the lab has some of the same name."""
    files = {
        "src/app/__init__.py": "",
        "src/app/shared.py": "NAME = 'mine'",
        "src/app/main.py": "import os\nfrom app.shared import NAME\nfrom fastapi import FastAPI\n"
        "assert NAME == 'mine' and os.environ['GREETING'] == 'hello'\n"
        "assert 'INSTANCE_NONCE' not in os.environ and 'APPLICATION' not in os.environ\n"
        "app = FastAPI()\n",
        ".env": "GREETING=hello\n",
    }
    where = ["--app-dir", "src", "--env-file", ".env"]

    servers = [word for server in CATALOGUE.servers for word in ("--server", server)]
    done = check(*where, *servers, "--proxy", "nginx", files=files, name="app.main:app")

    assert done.returncode == 0, done.stdout + done.stderr


SECURE = """
from fastapi import FastAPI, Request
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

app = FastAPI()
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["mysuperapp.com"])
app.add_middleware(HTTPSRedirectMiddleware)

@app.get("/items/")
async def items(request: Request):
    return str(request.url)
"""


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_one_that_answers_over_https_alone_and_one_name(check: Check, server: str) -> None:
    done = check("--proxy", "nginx", "--server", server, "--mode", "strip", main=SECURE)

    assert done.returncode == 0, done.stdout
    signs = row(done, f"nginx-{server}-strip")
    assert signs["scope"] == "✓"
    assert signs["paths"] == signs["urls"] == signs["docs"] == "-/✓"


LOGIN = """
from starlette.responses import PlainTextResponse

async def app(scope, receive, send):
    assert scope["type"] == "http"
    right = (b"authorization", b"Bearer right") in scope["headers"]
    await PlainTextResponse("hello", 200 if right else 401)(scope, receive, send)
"""


def test_a_login_on_everything_is_not_judged(check: Check) -> None:
    done = check(*ONE, main=LOGIN)

    assert done.returncode == 3
    assert row(done)["paths"] == row(done)["urls"] == "-"
    assert "need a login (give a token with --header)" in done.stdout
    assert "Nothing of the application was judged" in done.stdout


def test_a_token_is_sent_and_not_written_down(check: Check, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    token = ["--header", "Authorization: Bearer right"]

    done = check(*ONE, *token, "--format", "json", "-o", str(file), main=LOGIN)

    assert (done.returncode, done.stdout) == (0, "")
    assert "Bearer" not in file.read_text()
    assert {result.verdict for result in load_results(file).cells} == {Verdict.PASS}
    assert json.loads(file.read_text())["engine"] == "process"


@pytest.mark.parametrize("output_format", ["json", "junit", "sarif", "html"])
def test_other_formats_are_alone_on_standard_output(check: Check, output_format: str) -> None:
    source = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]

    done = check(
        *ONE, "--format", output_format, main=source, files={"static/style.css": "body {}"}
    )

    assert done.returncode == 1
    match output_format:
        case "json":
            assert json.loads(done.stdout)["schema"] == 3
        case "junit":
            [urls, _] = ET.fromstring(done.stdout.encode()).iter("failure")  # noqa: S314 - ours
            assert urls.attrib["type"] == "link-drops-prefix, cookie-path-wrong"
            assert "fix: Make the URL from the request" in (urls.text or "")
        case "sarif":
            run = json.loads(done.stdout)["runs"][0]
            places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
            lines = [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places]
            assert lines == [("main.py", 9), ("main.py", 15), ("main.py", 15)]
            assert "mysuperapp.com" not in json.dumps(places)
        case "html":
            assert done.stdout.startswith("<!doctype html>")
            assert [cell["suite"] for cell in overview(done.stdout)["cells"]] == ["own", "own"]


# --- a server of one's own ---


def test_a_command_of_one_s_own(check: Check) -> None:
    """Uvicorn's root path is right behind a proxy that strips, and nowhere else."""
    command = "uvicorn main:app --host {host} --port {port} --root-path {prefix} --workers 2"

    done = check("--command", command, "--proxy", "nginx", main=RIGHT, files=STYLE)

    assert done.returncode == 1
    assert set(row(done, "nginx-own-strip").values()) == {"✓", "-"}
    assert row(done, "nginx-own-preserve")["paths"] == "✗"
    told = " ".join(done.stdout.split())
    assert "scope: scope-path-wrong" in told
    assert "where: nginx-own-preserve" in told
    assert "the ASGI scope is wrong (see scope)" in told


def test_a_command_that_is_no_program(check: Check) -> None:
    done = check(
        "--command", "no-such main:app {port}", "--proxy", "nginx", main=RIGHT, files=STYLE
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "There is no program no-such." in done.stderr


# --- applications that do not start ---

FAILS = {
    "import nothing_of_that_name": [
        "main:app can't be imported:",
        'File "main.py", line 1, in <module>',
        "No module named 'nothing_of_that_name'",
        "install hoplab where the application's packages are",
    ],
    "app = (": ["main:app can't be imported:", "SyntaxError"],
    "other = 1": ["main:app can't be imported:", "has no attribute 'app'"],
    "import sys\nsys.exit('set DATABASE_URL')": ["set DATABASE_URL", "ends the program"],
    "def app(environ, start_response): ...": ["main:app is no ASGI application", "WSGI"],
    "from fastapi import FastAPI\ndef app(): return FastAPI()": ["--factory"],
    "from contextlib import asynccontextmanager\nfrom starlette.applications import Starlette\n"
    "@asynccontextmanager\nasync def life(app):\n    raise OSError('no database')\n    yield\n"
    "app = Starlette(lifespan=life)": ["main:app does not start", "OSError: no database"],
}


@pytest.mark.parametrize("source", FAILS, ids=[told[-1] for told in FAILS.values()])
def test_one_that_does_not_start_says_why(check: Check, source: str) -> None:
    done = check(*ONE, main=source)

    assert (done.returncode, done.stdout) == (3, "")
    for told in FAILS[source]:
        assert told in done.stderr
    assert len(done.stderr.splitlines()) < 12
    assert "app/own.py" not in done.stderr


def test_one_that_has_ended_before_it_is_looked_at_says_why(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = Launcher.launch

    def launched_and_ended(launcher: Launcher, deployment: Mapping[str, Any]) -> int:
        number = launch(launcher, deployment)
        while psutil.pid_exists(number):
            time.sleep(0.01)
        return number

    monkeypatch.setattr(Launcher, "launch", launched_and_ended)
    done = check(*ONE, main="import nothing_of_that_name")

    assert (done.returncode, done.stdout) == (3, "")
    assert "No module named 'nothing_of_that_name'" in done.stderr
    assert "app/own.py" not in done.stderr


WAITS = """
import asyncio
from contextlib import asynccontextmanager
from starlette.applications import Starlette

@asynccontextmanager
async def life(app):
    await asyncio.sleep(100)
    yield

app = Starlette(lifespan=life)
"""
HANGS = {
    "in its lifespan": (WAITS, "has not finished its startup (lifespan)"),
    "while it is imported": ("import time\ntime.sleep(100)", "its module does not come to an end"),
}


@pytest.mark.parametrize("where", HANGS)
def test_one_that_hangs_is_given_up(
    check: Check, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 4.0)
    source, told = HANGS[where]
    began = time.monotonic()

    done = check(*ONE, main=source)

    assert (done.returncode, done.stdout) == (3, "")
    assert told in done.stderr
    assert time.monotonic() - began < 30


LEAVES = """
import os, subprocess, sys, time
from fastapi import FastAPI

app = FastAPI()
subprocess.Popen(["sleep", "4711"])

@app.get("/")
def index():
    for _ in range(20):
        print("x" * 2**20)
    return "hello"
"""


def test_one_that_prints_and_starts_others_leaves_nothing_behind(check: Check) -> None:
    done = check(*ONE, main=LEAVES)

    assert done.returncode == 0, done.stdout
    assert not [p for p in psutil.process_iter(["cmdline"]) if "4711" in (p.info["cmdline"] or [])]


# --- bad usage ---


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["main"], "'main' is not MODULE:APP, such as main:app"),
        (["main:app", "--app-dir", "nowhere"], "there is no such folder"),
        (["main:app", "--env-file", "nowhere"], "there is no such file"),
        (["main:app", "--header", "no header"], "is not a header, such as"),
        (["main:app", "--prefix", "no-path"], "a prefix is a path"),
        (["main:app", "--proxy", "apache"], "proxy 'apache' is unknown"),
        (["main:app", "--max-requests", "0"], "--max-requests"),
        (["main:app", "--format", "pdf"], "known: table, json, junit, sarif, html"),
        (["main:app", "--path", "admin"], "a path begins with a slash"),
        (["main:app", "--command", "x main:app"], "it has to listen at {host} and {port}"),
        (["main:app", "--command", "x {port}"], "it has to name main:app"),
        (["main:app", "--command", "x '"], "No closing quotation"),
        (["main:app", "--command", "x", "--server", "uvicorn"], "leave out --server"),
    ],
)
def test_bad_usage(words: list[str], told: str) -> None:
    done = hoplab("check", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
