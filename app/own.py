"""A person's own application, served in the place of the one under test: `APPLICATION=app.own`.

`hoplab check` starts it so. Nothing in it changes; each answer gets the two headers of instance.py.
What is to be imported, and where to write what came of it, stands in HOPLAB_OWN, as JSON.
"""

import importlib
import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.instance import InstanceMiddleware, nonce
from app.own_routes import discovered, is_installed, remember_directory, short

_OURS = ("HOPLAB_OWN", "INSTANCE_NONCE", "APPLICATION", "PUBLIC_PREFIX")
"""Variables of the lab's, which the application does not get to see."""

_PACKAGE = __name__.partition(".")[0]
_NEEDED = ("forwarded_prefix_middleware", "hypercorn.proxy_fix", "granian.proxy_headers")
"""What the modules that serve this one import, perhaps after it."""

_FRAMES = 8


class NotAnApplication(Exception):
    """What was named is there, and is no ASGI application; the argument says why."""


class Report:
    """A file that says how far this process has come: `state`, and what is known by then."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{nonce()}.json"
        self._told: dict[str, Any] = {}

    def tell(self, **told: Any) -> None:
        """Write it, at once: a reader never sees half of it."""
        self._told |= told
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._told))
        new.replace(self._file)


class Own:
    """The application as it is. Tells the report of its lifespan, and what routes it has then."""

    def __init__(self, app: ASGIApp, report: Report) -> None:
        self.app = app
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._report.tell(state="started", **discovered(self.app))
            elif message["type"] == "lifespan.startup.failed":
                failed.append(str(message.get("message", "")) or "lifespan.startup.failed")
            await send(message)

        failed: list[str] = []
        self._report.tell(state="starting")
        try:
            await self.app(scope, receive, told)
        except Exception as error:
            if failed:
                failed = [_shortened(error)]
            raise  # else it has no lifespan: servers go on without one
        finally:
            if failed:
                self._report.tell(state="failed", error=failed[0], kind="its lifespan")

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An exception is a 500 of the application's, as the server would answer: but named."""
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            if not started:
                headers = [(b"content-type", b"text/plain; charset=utf-8")]
                await send({"type": "http.response.start", "status": 500, "headers": headers})
                await send({"type": "http.response.body", "body": b"Internal Server Error"})
            raise


def serve(told: Mapping[str, Any]) -> ASGIApp:
    """Import the application that `told` names, and put the wrapper around it."""
    report = Report(Path(told["reports"]))
    report.tell(state="importing")
    remember_directory()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # its log is read while it runs
    for name in _OURS:
        os.environ.pop(name, None)
    os.environ.update(told["environment"])
    try:
        if told["env_file"]:
            from dotenv import load_dotenv  # noqa: PLC0415 - as Uvicorn does: only if it is asked for

            load_dotenv(dotenv_path=told["env_file"])
        app = _imported(told["application"], Path(told["app_dir"]))
        app = _checked(app() if told["factory"] else app, told["application"])
    except BaseException as error:  # sys.exit as well
        report.tell(state="failed", error=_shortened(error), kind=type(error).__name__)
        raise
    report.tell(state="imported", **discovered(app))
    return InstanceMiddleware(Own(app, report))


def _imported(name: str, folder: Path) -> Any:
    """As Uvicorn imports it; a package `app` or a module `shared` of the person's comes first."""
    module, _, attributes = name.partition(":")
    for needed in (f"{_PACKAGE}.{each}" for each in _NEEDED):
        if needed.rpartition(".")[0] in sys.modules:  # of the server that runs
            importlib.import_module(needed)
    root = str(Path(__file__).resolve().parents[1])
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in {root, ""})]
    ours = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == _PACKAGE}
    for each in ours:
        del sys.modules[each]
    try:
        found = importlib.import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    finally:
        for each, kept in ours.items():  # one of them is being imported
            sys.modules.setdefault(each, kept)
    return found


def _checked(app: Any, name: str) -> ASGIApp:
    """As Uvicorn tells ASGI 3 from what is none."""
    call = app if inspect.isfunction(app) else getattr(app, "__call__", None)  # noqa: B004
    if inspect.isclass(app) or not inspect.iscoroutinefunction(call):
        hint = "Is it a WSGI application, or a function that makes one (then: --factory)?"
        message = f"{name} is no ASGI application, but of the type {type(app).__name__}. {hint}"
        raise NotAnApplication(message)
    found: ASGIApp = app
    return found


def _shortened(error: BaseException) -> str:
    """The traceback without the lines of the lab, of Python and of installed packages."""
    if isinstance(error, NotAnApplication):
        return str(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_own(f.filename)]
    shown = [
        traceback.FrameSummary(short(f.filename), f.lineno, f.name, line=f.line) for f in frames
    ]
    lines = [*traceback.format_list(shown[-_FRAMES:]), *traceback.format_exception_only(error)]
    return "".join(lines).rstrip()


def _is_own(file: str) -> bool:
    ours = Path(__file__).parent
    path = Path(file)
    standard = path.is_relative_to(Path(os.__file__).parent)
    return path.exists() and not (is_installed(file) or standard or path.is_relative_to(ours))


if "HOPLAB_OWN" in os.environ:
    app = serve(json.loads(os.environ["HOPLAB_OWN"]))
