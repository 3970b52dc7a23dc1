"""`hoplab check --proxy-config`: configurations as people really write them, and what they lack."""

import re
from itertools import takewhile
from pathlib import Path

import psutil
import pytest

from hoplab.results import Results, Verdict
from hoplab.results_file import load
from tests.catalogue import ROOT
from tests.commands.launchers import left_behind
from tests.commands.run import hoplab

FILES = Path(__file__).parent / "own_configurations"
PAGE = (ROOT / "docs/check.md").read_text()
APPLICATION = """from fastapi import FastAPI, Request, WebSocket

app = FastAPI()


@app.get("/items/")
async def read_items(request: Request):
    return {"next": str(request.url_for("read_items"))}


@app.websocket("/ws")
async def prices(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("plumbus: 6.5")
"""

HOST = "proxy_set_header Host $host$is_request_port$request_port;"
FOR = "proxy_set_header X-Forwarded-For $remote_addr;"
PROTO = "proxy_set_header X-Forwarded-Proto $scheme;"
AS_WRITTEN = r'if ($request_uri !~ "^\Q/api\E(/|\?|$)") { return 400; }'
LOCATION = r'location ~ "^\Q/api\E(/|$)" {'
RULE = "(Path(`/api`) || PathPrefix(`/api/`))"
SOCKETS = {
    "map $http_upgrade $upgrade { default ''; ~*^websocket$ websocket; }",
    "map $upgrade $connection_upgrade { default upgrade; '' ''; }",
    "proxy_set_header Upgrade $upgrade;",
    "proxy_set_header Connection $connection_upgrade;",
    "proxy_http_version 1.1;",
}

COMPARED = {r"vars_regexp {uri} ^\Q/api\E(/|\?|$)", r"not vars_regexp {path} /\.\.(/|$)", "}"}
MATCHER = {"@app {", *COMPARED}
STRIPPED = {"handle @app {", r"uri path_regexp ^\Q/api\E/? /"}

SHAPES = {
    "caddy/handle_path.Caddyfile": ("strip", {"edges"}, {*MATCHER, *STRIPPED}),
    "caddy/route.Caddyfile": ("strip", {"scope", "urls", "edges"}, {*MATCHER, "route @app {"}),
    "caddy/preserve.Caddyfile": (
        "preserve",
        {"edges"},
        {*MATCHER, "reverse_proxy @app 127.0.0.1:8000"},
    ),
    "caddy/balanced.Caddyfile": (
        "preserve",
        {"forged", "edges"},
        {"@api {", *COMPARED, "import drop-forwarded.caddy"},
    ),
    "caddy/snippets.Caddyfile": ("strip", {"edges"}, {*MATCHER, *STRIPPED}),
    "caddy/environment.Caddyfile": (
        "preserve",
        {"scope", "urls", "edges", "sockets"},
        {*MATCHER, "reverse_proxy @app {$UPSTREAM:app:8000} {"},
    ),
    "caddy/outside.Caddyfile": (
        "strip",
        {"edges"},
        {*MATCHER, *STRIPPED},
    ),
    "caddy/sites.Caddyfile": ("strip", {"edges"}, {*MATCHER, "handle @app {"}),
    "tutorial.conf": ("strip", {"scope", "urls", "sockets"}, {HOST, *SOCKETS}),
    "whole.conf": ("preserve", {"edges"}, {LOCATION, AS_WRITTEN}),
    "certbot.conf": ("strip", {"sockets"}, SOCKETS),
    "rewrite.conf": (
        "strip",
        {"scope", "urls", "forged", "edges"},
        {HOST, FOR, PROTO, LOCATION},
    ),
    "preserve.conf": (
        "preserve",
        {"scope", "urls", "forged", "edges", "sockets"},
        {HOST, FOR, PROTO, LOCATION, AS_WRITTEN, *SOCKETS},
    ),
    "right.conf": ("preserve", {"edges"}, {AS_WRITTEN}),
    "dynamic.yml": ("strip", {"edges"}, {f"rule: Host(`example.com`) && {RULE}"}),
    "routes.toml": ("strip", {"edges"}, {f"rule: {RULE}"}),
    "compose.yml": (
        "preserve",
        {"scope", "urls", "edges"},
        {f"traefik.http.routers.api.rule=Host(`${{DOMAIN}}`) && {RULE}"},
    ),
}
"""By file: the mode that it has, the questions that fail, and the lines of the smallest change."""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application is in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text(APPLICATION)
    return tmp_path


def check(*options: str) -> tuple[int, str, str]:
    before = {p.pid for p in psutil.process_iter()}
    done = hoplab("check", "main:app", *options)
    assert "Traceback" not in done.stderr
    assert left_behind(before) == []
    return done.returncode, done.stdout, done.stderr


def failing(results: Results) -> set[str]:
    every = [finding for result in results.cells for finding in result.findings]
    return {finding.check for finding in every if finding.verdict is Verdict.FAIL}


@pytest.mark.parametrize("name", SHAPES)
def test_what_people_write(name: str) -> None:
    mode, questions, lines = SHAPES[name]

    json = ["--format", "json", "-o", "found.json"]
    code, _, _ = check("--proxy-config", str(FILES / name), "--prefix", "/api", *ONE, *json)

    results = load(Path("found.json"))
    own = results.configuration
    assert own is not None
    assert (code, own.mode, failing(results)) == (1, mode, questions)
    assert {result.cell.topology.name for result in results.cells} == {
        f"{own.proxy}-uvicorn-{mode}"
    }
    assert own.change is not None
    assert {line[1:].strip() for line in own.change.diff if line.startswith("+")} == lines
    assert own.change.reasons
    for reason in own.change.reasons:
        assert reason.symptoms, reason


ONE = ["--server", "uvicorn"]


# --- what can't be used ---

SERVER = "server {\n  listen 80;\n  location /api/ {\n    proxy_pass http://127.0.0.1:8000/;\n"


SITE = ":80 {\n\treverse_proxy /api/* localhost:8000\n"
WHICH = "it has /api, /v2: add --prefix /PATH"
ROUTES = """http:
  routers:
    r: {rule: PathPrefix(`/api`), service: s}
  services:
    s: {loadBalancer: {servers: [{url: http://a:1}]}}
"""


@pytest.mark.parametrize(
    ("text", "options", "code", "told"),
    [
        (SERVER, [], 2, 'site.conf:3: a block that begins with "{" has no "}"'),
        ("", [], 2, "site.conf is empty"),
        ("a\0", [], 2, "site.conf is a binary file"),
        ("hello: world\n", [], 2, "it does not say which proxy it is for: add --proxy ("),
        (SERVER + "}}", ["--proxy", "nginx", "--proxy", "caddy"], 2, "the file of one proxy"),
        (SERVER + "}}", ["--scheme", "https"], 2, "site.conf has no https: leave out --scheme"),
        (SERVER + "}}", ["--prefix", "/shop"], 2, "does not pass /shop/"),
        (SERVER + "}}", ["--mode", "preserve"], 2, "has the mode strip, and --mode preserve"),
        (SERVER + "include nowhere;}}", [], 3, "site.conf:5: include nowhere: there is no such"),
        (SERVER + "brotli on;\n}}", [], 3, 'unknown directive "brotli" in site.conf:5'),
        ("http:\n  routers: [", ["--proxy", "traefik"], 2, "site.conf:2: expected"),
        (SERVER, ["--proxy", "traefik"], 2, "it looks like a file of nginx, and --proxy traefik"),
        ("entryPoints:\n  web: {}\n", [], 2, "this is the static configuration"),
        (ROUTES.replace("service: s", "service: s, middlewares: [m]"), [], 3, "middleware m is"),
        (ROUTES.replace("`)", "`) && Nothing()"), [], 3, "Nothing"),
        (SERVER + "} location /v2 { proxy_pass http://127.0.0.1:8000; } }", [], 2, WHICH),
        (
            SERVER + "}}",
            ["--proxy", "caddy"],
            2,
            "it looks like a file of nginx, and --proxy caddy",
        ),
        (SITE, ["--proxy", "nginx"], 2, "it looks like a file of caddy, and --proxy nginx"),
        (SITE + "nonsense\n}", [], 3, "site.conf:3: unrecognized directive: nonsense"),
        (SITE, [], 2, 'site.conf:1: a block that begins with "{" has no "}"'),
        (SITE + "}", ["--prefix", "/shop"], 2, "does not pass /shop/"),
    ],
)
def test_what_can_t_be_used(
    place: Path, text: str, options: list[str], code: int, told: str
) -> None:
    (place / "site.conf").write_text(text)

    found, _, errors = check("--proxy-config", "site.conf", *ONE, *options)

    assert (found, told in errors) == (code, True), errors


def test_a_file_that_is_not_there() -> None:
    code, _, errors = check("--proxy-config", "nowhere.conf")

    assert (code, errors) == (2, "hoplab: --proxy-config nowhere.conf: there is no such file\n")


# --- what the page shows ---


def shown(command: str) -> list[str]:
    after = PAGE.split(f"$ {command}\n")[1].splitlines()
    return list(takewhile(lambda line: line != "```", after))


def comparable(line: str) -> str:
    line = re.sub(r"mysuperapp\.com:\d+", "mysuperapp.com:…", line)
    return re.sub(r"\(\d+ tried\)|\(\d+\.\d s\)", "(…)", line)


@pytest.mark.parametrize(("language", "name"), [("nginx", "shop.conf"), ("caddyfile", "Caddyfile")])
def test_the_examples_of_the_page(place: Path, language: str, name: str) -> None:
    [text] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (place / name).write_text(text)
    [source, *_] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (place / "main.py").write_text(source)
    (place / "static").mkdir()
    (place / "static/style.css").write_text("body {}")
    command = f"check main:app --proxy-config {name} --server uvicorn"

    _, told, _ = check(*command.split()[2:])

    lines = [comparable(line) for line in told.splitlines()]
    start, end = (
        next(n for n, line in enumerate(lines) if line.startswith(words))
        for words in (f"{name}, as", "✓ right")
    )
    change = next(n for n, line in enumerate(lines) if line.startswith("Not the file"))
    assert [comparable(line) for line in shown(f"hoplab {command}")] == [
        *lines[start : end + 1],
        "…",
        *lines[change:],
    ]
    assert all(len(line) <= 80 or line.startswith("  ") for line in told.splitlines())
