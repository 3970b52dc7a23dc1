"""The wrapper around a person's own application: what it tells, and that it changes nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

from app import own_routes
from app.instance import nonce
from app.own import serve
from app.own_routes import discovered


@pytest.fixture
def modules() -> Iterator[None]:
    """What a test imports is forgotten."""
    names, path, environment = set(sys.modules), list(sys.path), dict(os.environ)
    yield
    for name in set(sys.modules) - names:
        del sys.modules[name]
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)


def told(folder: Path, **changes: Any) -> dict[str, Any]:
    given = {"application": "person:app", "factory": False, "app_dir": str(folder)}
    return {**given, "env_file": "", "reports": str(folder), "environment": {}, **changes}


def report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{nonce()}.json").read_text())
    return content


def ask(app: Any, scope: dict[str, Any], sent: list[Message] | None = None) -> list[Message]:
    sent = [] if sent is None else sent

    async def receive() -> Message:
        return {"type": f"{scope['type']}.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


@pytest.mark.usefixtures("modules")
def test_an_answer_without_headers_gets_two(tmp_path: Path) -> None:
    (tmp_path / "person.py").write_text(
        "async def app(scope, receive, send):\n"
        "    await send({'type': 'http.response.start', 'status': 200})\n"
        "    await send({'type': 'http.response.body'})\n"
    )

    start, _ = ask(serve(told(tmp_path)), HTTP)

    assert [name for name, _ in start["headers"]] == [b"x-instance", b"x-asgi-scope"]
    assert report(tmp_path)["state"] == "imported"
    assert report(tmp_path)["table"] is False


@pytest.mark.usefixtures("modules")
def test_an_exception_is_a_500_that_is_named_and_still_raised(tmp_path: Path) -> None:
    (tmp_path / "person.py").write_text("async def app(scope, receive, send): raise ValueError(1)")
    app = serve(told(tmp_path))
    sent: list[Message] = []

    with pytest.raises(ValueError, match="1"):
        ask(app, HTTP, sent)
    assert sent[0]["status"] == 500
    assert b"x-instance" in dict(sent[0]["headers"])


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(
    ("message", "state"),
    [("lifespan.startup.complete", "started"), ("lifespan.startup.failed", "failed")],
)
def test_the_lifespan_passes_through(tmp_path: Path, message: str, state: str) -> None:
    (tmp_path / "person.py").write_text(
        "async def app(scope, receive, send):\n"
        f"    await send({{'type': '{message}', 'message': 'no database'}})\n"
    )

    sent = ask(serve(told(tmp_path)), {"type": "lifespan"})

    assert [each["type"] for each in sent] == [message]
    assert report(tmp_path)["state"] == state
    assert report(tmp_path).get("error") == ("no database" if state == "failed" else None)


@pytest.mark.usefixtures("modules")
def test_a_traceback_has_the_person_s_lines_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "person.py").write_text("import json\n\njson.loads('{')\n")

    with pytest.raises(ValueError, match="Expecting property name"):
        serve(told(tmp_path))

    assert report(tmp_path)["error"].splitlines()[:2] == [
        '  File "person.py", line 3, in <module>',
        "    json.loads('{')",
    ]
    assert report(tmp_path)["error"].count("File") == 1


@pytest.mark.usefixtures("modules")
def test_the_lab_s_variables_are_taken_away_and_the_person_s_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATION", "app.own")
    monkeypatch.setenv("INSTANCE_NONCE", "x")
    (tmp_path / "person.py").write_text(
        "import os\nseen = {k: os.environ.get(k) for k in ('APPLICATION', 'INSTANCE_NONCE')}\n"
        "async def app(*_): ...\n"
    )

    serve(told(tmp_path, environment={"APPLICATION": "mine"}))

    assert sys.modules["person"].seen == {"APPLICATION": "mine", "INSTANCE_NONCE": None}


# --- routes ---


async def endpoint() -> None: ...


def test_routes_of_an_application_in_middleware(tmp_path: Path) -> None:
    (tmp_path / "a b.css").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.css").write_text("")
    app, inner = FastAPI(), FastAPI(openapi_url=None)
    app.get("/items/{number}")(endpoint)
    app.post("/orders")(endpoint)
    app.websocket("/ws")(endpoint)
    inner.get("/things")(endpoint)
    app.mount("/inner", inner)
    app.mount("/static", StaticFiles(directory=tmp_path))
    app.mount("/opaque", opaque)

    found = discovered(CORSMiddleware(app))

    routes = {route["path"]: (route["kind"], route["methods"]) for route in found["routes"]}
    assert routes["/orders"] == ("http", ["POST"])
    assert routes["/ws"][0] == "websocket"
    assert {"/inner/things", "/static/sub/c.css", "/opaque/", "/docs"} <= set(routes)
    assert (found["table"], found["parameters"]) == (True, 1)
    assert (found["docs"], found["openapi"]) == (["/docs", "/redoc"], "/openapi.json")


async def opaque(scope: Scope, receive: Receive, send: Send) -> None: ...


def test_a_router_that_holds_itself_ends() -> None:
    class Loop:
        app: Any

    loop = Loop()
    loop.app = loop

    assert discovered(loop)["routes"] == []


def test_of_ten_thousand_routes_a_part_is_told() -> None:
    app = FastAPI()
    for number in range(3000):
        app.get(f"/{number}")(endpoint)

    assert len(discovered(app)["routes"]) == 2000


def test_a_line_is_shown_of_one_s_own_function_and_of_no_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_routes, "_places", [tmp_path])
    app = FastAPI(openapi_url=None)
    for name, file in [("own", "main.py"), ("theirs", ".venv/lib/site-packages/them.py")]:
        names: dict[str, Any] = {}
        code = compile(f"async def {name}(): ...", str(tmp_path / file), "exec")
        exec(code, names)  # noqa: S102 - the line above
        app.get(f"/{name}")(names[name])

    where = {route["path"]: route["where"] for route in discovered(app)["routes"]}

    assert where == {"/own": "own, main.py:1", "/theirs": "theirs"}
