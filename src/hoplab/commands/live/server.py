"""The live page's server: on loopback, in this process."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hoplab.catalogue import Catalogue
from hoplab.client.probe import Failed
from hoplab.client.trace import Request
from hoplab.commands.live.asking import METHODS, request_from, way
from hoplab.commands.live.broadcast import Broadcast
from hoplab.commands.live.demo_file import PORT, VARIABLE, Site
from hoplab.commands.live.embedded import Embedded
from hoplab.commands.live.guard import Guard
from hoplab.commands.live.model import LiveLab
from hoplab.commands.live.telling import by_name, told_of, words
from hoplab.errors import HoplabError
from hoplab.report.live import document
from hoplab.report.live.beside import beside
from hoplab.system.ports import LOOPBACK, listening
from hoplab.topology import Scheme

_BAD = 400
_MOST = 2  # topologies side by side

_Endpoint = Callable[[HTTPRequest], Awaitable[Response]]


class _Server:
    """The endpoints of one run."""

    def __init__(
        self, lab: LiveLab, catalogue: Catalogue, token: str, end: Callable[[], None]
    ) -> None:
        self.end = end
        self.lab = lab
        self.catalogue = catalogue
        self.token = token
        self.run = secrets.token_hex(4)
        self.broadcast = Broadcast(lab, self.run, self._states)

    def application(self, port: int) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.broadcast.listen)
                yield
                tasks.cancel_scope.cancel()

        def asset(text: Callable[[], str], kind: str) -> _Endpoint:
            async def given(_: HTTPRequest) -> Response:
                return Response(text(), media_type=kind)

            return given

        page = partial(document.page, self.token, self.run)
        icon = partial(document.asset, "icon.svg")
        routes = [
            Route("/", asset(page, "text/html")),
            Route("/page.css", asset(document.style, "text/css")),
            Route("/page.js", asset(document.script, "text/javascript")),
            Route("/icon.svg", asset(icon, "image/svg+xml")),
            Route("/events", self._events),
            Route("/states", _answer(self._told)),
            Route("/words", _answer(self._words)),
            Route("/possible", _answer(self._possible)),
            Route("/trace", _answer(self._trace), methods=["POST"]),
            Route("/change", _answer(self._change), methods=["POST"]),
            Route("/fix", _answer(self._fix), methods=["POST"]),
            Route("/end", _answer(self._end), methods=["POST"]),
        ]
        guard = Middleware(Guard, port=port, token=self.token)
        return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)

    def _states(self) -> list[Mapping[str, Any]]:
        return [told_of(self.catalogue, state) for state in self.lab.states()]

    async def _told(self, _: HTTPRequest) -> Any:
        return await anyio.to_thread.run_sync(self._states)

    async def _events(self, request: HTTPRequest) -> Response:
        last = request.headers.get("last-event-id")
        return StreamingResponse(self.broadcast.events(last), media_type="text/event-stream")

    async def _words(self, _: HTTPRequest) -> Any:
        return words(self.catalogue, METHODS)

    async def _possible(self, request: HTTPRequest) -> Any:
        name = request.query_params.get("topology", "")
        by_name(self.lab, name)
        found = await anyio.to_thread.run_sync(self.lab.possible, name)
        return [asdict(change) for change in found]

    async def _trace(self, request: HTTPRequest) -> Any:
        told = await _json(request)
        names = told.get("topologies")
        if not isinstance(names, list) or not 0 < len(names) <= _MOST:
            raise HoplabError(f"Name one topology or {_MOST}.")
        for name in names:
            by_name(self.lab, name)
        scheme, asked = request_from(told)
        ways: list[dict[str, Any]] = [{} for _ in names]

        async def ask(number: int) -> None:
            ways[number] = await anyio.to_thread.run_sync(self._way, names[number], scheme, asked)

        async with anyio.create_task_group() as tasks:
            for number in range(len(names)):
                tasks.start_soon(ask, number)
        if len(ways) == _MOST and all("steps" in each for each in ways):
            ways[0]["steps"], ways[1]["steps"] = beside(ways[0]["steps"], ways[1]["steps"])
        for each in ways:
            each["steps"] = [asdict(step) for step in each.get("steps", ())]
        return {"ways": ways}

    def _way(self, name: str, scheme: Scheme, asked: Request) -> dict[str, Any]:
        try:
            found = way(self.lab, self.catalogue, name, scheme, asked)
        except (HoplabError, Failed) as error:
            return {"topology": name, "error": str(error)}
        leads = [asdict(lead) for lead in found.leads]
        return {**vars(found), "leads": leads}

    async def _change(self, request: HTTPRequest) -> Any:
        told = await _json(request)
        topology, name = (str(told.get(each)) for each in ("topology", "name"))
        by_name(self.lab, topology)
        await anyio.to_thread.run_sync(self.lab.change, topology, name)
        return {}

    async def _fix(self, request: HTTPRequest) -> Any:
        topology = str((await _json(request)).get("topology"))
        by_name(self.lab, topology)
        await anyio.to_thread.run_sync(self.lab.fix, topology)
        return {}

    async def _end(self, _: HTTPRequest) -> Any:
        self.end()
        return {}


async def _json(request: HTTPRequest) -> Mapping[str, Any]:
    try:
        told = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HoplabError("The body is not JSON.") from None
    if not isinstance(told, dict):
        raise HoplabError("The body is not a JSON object.")
    return told


def _answer(endpoint: Callable[[HTTPRequest], Awaitable[Any]]) -> _Endpoint:
    """Its value as JSON, or the one message for a person's mistake."""

    async def answered(request: HTTPRequest) -> Response:
        try:
            return JSONResponse(await endpoint(request))
        except HoplabError as error:
            return JSONResponse({"error": str(error)}, _BAD)

    return answered


@contextmanager
def serving(
    lab: LiveLab,
    catalogue: Catalogue,
    port: int = PORT,
    end: Callable[[], None] = lambda: None,
) -> Iterator[Site]:
    """Serve the page of this lab until the block ends. A port of 0 is any that is free.

    end: called when somebody with the token wants the demo to end.

    Raises HoplabError if the port is taken: by whom, and how to choose another.
    """
    token = secrets.token_urlsafe(32)
    with listening(port, VARIABLE) as sock:
        number = sock.getsockname()[1]
        made = _Server(lab, catalogue, token, end)
        server = Embedded(made.application(number), sock, made.broadcast.close)
        try:
            if not server.start():
                raise HoplabError(f"The page's server at {LOOPBACK}:{number} did not start.")
            yield Site(f"http://{LOOPBACK}:{number}/", token)
        finally:
            server.stop()
