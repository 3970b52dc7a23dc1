"""Deployments with CORS that a proxy or a layer spoils, and a check that is asked of them."""

import importlib
from collections.abc import Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cors import parts
from hoplab.client.wire import Exchange, Headers
from hoplab.results import Finding
from hoplab.suites import SUITES
from hoplab.suites.asking import ask_one
from hoplab.suites.cors.checks import CHECKS
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.catalogue import CATALOGUE
from tests.unit.stub import TOPOLOGY, Answer, Fault, Stub, altered

STRANGER = "http://stranger.example"
RIGHT = ["cors-single", "cors-router", "cors-route-middleware"]
HTTP = Scheme.HTTP


def variant(name: str) -> ASGIApp:
    """The application of app/cors/ that a variation runs, or of that name."""
    known = CATALOGUE.variations.get(name)
    module = known.application if known else f"app.cors.{name}"
    app: ASGIApp = importlib.import_module(module).app
    return app


def ask(
    stub: Stub, check: str, variation: str = "cors-single", scheme: Scheme = HTTP, **changes: Any
) -> Finding:
    """One check's finding in a cell of this variation; `changes` are the endpoint's."""
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, scheme, variation)
    return ask_one(check, CHECKS[check], stub.target(cell, SUITES["cors"], **changes))


Change = Callable[[Scope, Message], None]


def changes(change: Change) -> Fault:
    """A proxy that changes the beginning of answers."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_changed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": list(message["headers"])}
                    change(scope, message)
                await send(message)

            await app(scope, receive, send_changed)

        return proxy

    return fault


def origin_of(scope: Scope) -> str | None:
    value = dict(scope["headers"]).get(b"origin")
    return value.decode() if value else None


def adds(name: str, value: str) -> Fault:
    """`add_header`: one more, whatever is there."""
    return changes(lambda _, message: message["headers"].append((name.encode(), value.encode())))


def drops(name: str) -> Fault:
    """`proxy_hide_header`."""

    def change(_scope: Scope, message: Message) -> None:
        del MutableHeaders(scope=message)[name]

    return changes(change)


def replaces(name: str, value: str) -> Fault:
    def change(_scope: Scope, message: Message) -> None:
        MutableHeaders(scope=message)[name] = value

    return changes(change)


def names(allowed: Callable[[str], str | None]) -> Fault:
    """A policy of the proxy's own: whom it names to a page of this origin."""

    def change(scope: Scope, message: Message) -> None:
        origin = origin_of(scope)
        given = allowed(origin) if origin else None
        if given:
            MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = given

    return changes(change)


def of(method: str, fault: Fault) -> Fault:
    """The fault, for one method."""
    return where(lambda scope: scope["method"] == method, fault)


def where(condition: Callable[[Scope], bool], fault: Fault) -> Fault:
    """The fault, for some requests."""

    def narrowed(app: ASGIApp) -> ASGIApp:
        faulty = fault(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            await (faulty if condition(scope) else app)(scope, receive, send)

        return choose

    return narrowed


def answers(answer: ASGIApp) -> Fault:
    """Somebody else answers, in the place of the application."""
    return lambda _: answer


def policy(*origins: str) -> Fault:
    """A right one: the proxy answers preflights itself, and adds the headers to all the rest."""
    return parts.cors(*origins)


def with_cookie(scope: Scope) -> bool:
    return b"cookie" in dict(scope["headers"])


def without_origin(scope: Scope) -> bool:
    return origin_of(scope) is None


def of_origin(origin: str) -> Callable[[Scope], bool]:
    return lambda scope: origin_of(scope) == origin


def at_star(app: ASGIApp) -> ASGIApp:
    """A proxy that fails at `OPTIONS *`."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await (PlainTextResponse("500", 500) if scope["path"] == "*" else app)(scope, receive, send)

    return proxy


def status_of(code: int) -> Fault:
    """The application's own answer, with another status."""

    def change(_scope: Scope, message: Message) -> None:
        message["status"] = code

    return changes(change)


def many_names(scope: Scope) -> bool:
    return len(dict(scope["headers"]).get(b"access-control-request-headers", b"")) > 4096


def twice_an_origin(scope: Scope) -> bool:
    return [name for name, _ in scope["headers"]].count(b"origin") == 2


def body(change: Callable[[bytes], bytes]) -> Fault:
    """Another body of /metrics/."""

    def edit(answer: Answer) -> None:
        answer.body = change(answer.body)

    return altered("/metrics/", edit)


NOT_FOUND = PlainTextResponse("404 page not found", 404)
OTHER_METHOD = PlainTextResponse("", 405)
BAD_GATEWAY = PlainTextResponse("502 Bad Gateway", 502)
ALLOW, VARY, LAYERS_PASSED = "Access-Control-Allow-Origin", "Vary", "X-Middleware"
star_for_all = names(lambda _: "*")
reflects = names(lambda origin: origin)


GET_, OPTIONS = "GET", "OPTIONS"


CREDENTIALS = ("Access-Control-Allow-Credentials", "true")


def answered(told: Headers, status: int = 200, method: str = "GET") -> Exchange:
    return Exchange(method, "http://x/", (), status, told)
