"""Each question about CORS passes where all is right, and finds every one of its symptoms."""

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.instance import InstanceMiddleware
from hoplab import cors
from hoplab.checks.cors import CORS_CHECKS
from hoplab.checks.cors.judging import _WORST_FIRST as RANKED
from hoplab.cors import LAYERS, MAIN, METRICS, WANTED, lets_in, preflight_passes, values, wanted
from hoplab.matrix import ask_one
from hoplab.results import Finding, Verdict
from hoplab.topology import PREFIX, Cell, Scheme, Strategy, Trust
from hoplab.wire import Exchange, Headers
from tests.unit.stub import (
    TOPOLOGY,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    closed_port,
    header,
    instead,
    only,
    status,
    text,
)
from tests.unit.test_checks import documented, symptoms_in

STRANGER = "http://stranger.example"
RIGHT = ["cors-single", "cors-router", "cors-route-middleware"]
HTTP = Scheme.HTTP


def variant(name: str) -> ASGIApp:
    """The application of app/cors/ that a variation runs."""
    module = name.removeprefix("cors-").replace("-", "_")
    app: ASGIApp = importlib.import_module(f"app.cors.{module}").app
    return app


def ask(
    stub: Stub, check: str, variation: str = "cors-single", scheme: Scheme = HTTP, **changes: Any
) -> Finding:
    """One check's finding in a cell of this variation; `changes` are the endpoint's."""
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, scheme, variation)
    return ask_one(check, CORS_CHECKS[check], cell, replace(stub.endpoint, **changes))


# --- faults ---

Told = list[tuple[bytes, bytes]]
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


def many_names(scope: Scope) -> bool:
    return len(dict(scope["headers"]).get(b"access-control-request-headers", b"")) > 4096


def twice_an_origin(scope: Scope) -> bool:
    return [name for name, _ in scope["headers"]].count(b"origin") == 2


NOT_FOUND = PlainTextResponse("404 page not found", 404)
BAD_GATEWAY = PlainTextResponse("502 Bad Gateway", 502)
ALLOW, VARY, LAYERS_PASSED = "Access-Control-Allow-Origin", "Vary", "X-Middleware"
star_for_all = names(lambda _: "*")
reflects = names(lambda origin: origin)


def main_alone(app: ASGIApp) -> ASGIApp:
    """A proxy that names one origin to everybody: whoever is not it may not read."""
    return replaces(ALLOW, MAIN)(app)


@dataclass(frozen=True)
class Case:
    """A symptom, and the fault by which a check has to find it."""

    symptom: str
    title: str
    outside: Fault = as_it_is
    variation: str = "cors-single"
    app: ASGIApp | None = None
    """Another application than the variation's."""

    inside: Fault = as_it_is
    words: str = ""
    """What has to stand in the detail."""


GET_, OPTIONS = "GET", "OPTIONS"

POLICIES = [
    Case("cors-wrong-policy", "the proxy reflects whoever asks", reflects, words=STRANGER),
    Case("cors-wrong-policy", "a star for everybody", star_for_all),
    Case("cors-wrong-policy", "null is let in", names(lambda o: o if o == "null" else None)),
    Case("cors-wrong-policy", "one origin for all", main_alone, words=METRICS),
    Case("cors-wrong-policy", "without credentials", drops("Access-Control-Allow-Credentials")),
    Case(
        "cors-wrong-policy",
        "credentials in capitals",
        replaces("Access-Control-Allow-Credentials", "True"),
    ),
    Case("cors-wrong-policy", "both layers", variation="cors-both"),
    Case(
        "cors-wrong-policy",
        "one policy where two are wanted",
        variation="cors-route-middleware",
        app=variant("cors-single"),
        words=f"/metrics/ of {MAIN}",
    ),
    Case(
        "cors-wrong-policy",
        "two policies where one is wanted",
        app=variant("cors-both"),
        words=METRICS,
    ),
    Case("cors-duplicated", "by the proxy too", adds(ALLOW, MAIN), words="twice: Allow-Origin"),
    Case(
        "cors-duplicated",
        "the same credentials twice",
        adds("Access-Control-Allow-Credentials", "true"),
        words="twice: Allow-Credentials",
    ),
    Case(
        "cors-duplicated",
        "both by the proxy",
        all_of(adds(ALLOW, MAIN), adds(ALLOW, MAIN)),
        app=variant("cors-no-layer"),
    ),
]
"""What everybody finds that judges an answer."""

VARIES = [
    Case("cors-vary-missing", "hidden by the proxy", drops(VARY), words="without Vary: Origin"),
    Case("cors-vary-missing", "another Vary", replaces(VARY, "Accept-Encoding, X-Origin")),
    Case("cors-vary-missing", "with a cookie only", where(with_cookie, drops(VARY))),
    Case(
        "cors-vary-missing",
        "without an Origin only",
        where(without_origin, drops(VARY)),
        words="without Origin: no Vary: Origin",
    ),
]

CASES: dict[str, list[Case]] = {
    "preflight": [
        *POLICIES,
        Case("cors-wrong-policy", "no header name", drops("Access-Control-Allow-Headers")),
        Case(
            "cors-wrong-policy",
            "a star for the header names",
            replaces("Access-Control-Allow-Headers", "*"),
        ),
        Case("cors-wrong-policy", "refused by its status", of(OPTIONS, status_of(403))),
        Case("cors-duplicated", "max-age", adds("Access-Control-Max-Age", "600")),
        Case("cors-preflight-redirected", "the mount's slash", variation="cors-inner-only"),
        Case(
            "cors-preflight-redirected",
            "by the proxy",
            of(OPTIONS, only("/metrics", answers(RedirectResponse(f"{PREFIX}/metrics/", 308)))),
        ),
        Case("cors-missing", "no layer", app=variant("cors-no-layer"), variation="cors-nginx-alone"),
        Case("cors-missing", "hidden", drops(ALLOW), words="allowed: none"),
        Case("cors-missing", "the proxy says 405", of(OPTIONS, answers(NOT_FOUND))),
        Case("cors-missing", "one path only", only("/metrics/fail", drops(ALLOW))),
        Case("cors-missing", "one origin only", where(of_origin(METRICS), drops(ALLOW))),
    ],
    "simple": [
        *POLICIES,
        *VARIES,
        Case("cors-wrong-policy", "with a cookie only", where(with_cookie, reflects)),
        Case("cors-wrong-policy", "null, with a cookie", where(with_cookie, star_for_all)),
        Case("cors-wrong-policy", "the redirect", only("/metrics", reflects), words="→ 307"),
        Case("cors-missing", "no layer", app=variant("cors-no-layer")),
        Case("cors-missing", "the mount's alone", variation="cors-inner-only"),
        Case("cors-missing", "hidden", drops(ALLOW), words="allowed: none"),
        Case("cors-missing", "with a cookie only", where(with_cookie, drops(ALLOW))),
        Case("cors-missing", "the redirect only", only("/metrics", drops(ALLOW)), words="→ 307"),
        Case("unreachable", "not routed", instead("/metrics/", NOT_FOUND)),
        Case("unreachable", "the application is down", answers(BAD_GATEWAY)),
        Case("unreachable", "with a cookie", where(with_cookie, answers(NOT_FOUND))),
        Case("unreachable", "the proxy redirects", instead("/metrics", RedirectResponse("/"))),
    ],
    "errors": [
        *POLICIES,
        *VARIES,
        Case("cors-wrong-policy", "the 404 only", only("/missing", reflects), words="→ 404"),
        Case("cors-wrong-policy", "a 500 only", only("/metrics/fail", reflects), words="→ 500"),
        Case("cors-missing-on-error", "add_middleware", variation="cors-single-added"),
        Case("cors-missing-on-error", "the mount's alone", variation="cors-inner-only"),
        Case("cors-missing-on-error", "no layer", app=variant("cors-no-layer")),
        Case("cors-missing-on-error", "the 404 only", only("/missing", drops(ALLOW))),
        Case(
            "cors-missing-on-error",
            "without `always`",
            where(lambda scope: "fail" in scope["path"], drops(ALLOW)),
            words="→ 500",
        ),
        Case("unreachable", "the proxy's own 404", instead("/missing", NOT_FOUND)),
        Case("unreachable", "the proxy's own 500", instead("/fail", PlainTextResponse("", 500))),
        Case("unreachable", "no error at all", only("/metrics/fail", status_of(200))),
        Case("unreachable", "502 in its place", only("/fail", status_of(502))),
    ],
    "order": [
        Case("middleware-misordered", "added in another order", app=variant("cors-single-added")),
        Case("middleware-misordered", "one is missing", app=variant("cors-no-layer")),
        Case("middleware-misordered", "one more", app=variant("cors-both")),
        Case(
            "middleware-misordered",
            "the mount's is missing",
            variation="cors-both",
            app=variant("cors-single-added"),
        ),
        Case(
            "middleware-misordered",
            "not mirrored",
            only("/metrics/", replaces(LAYERS_PASSED, ">cors >prometheus <cors <prometheus")),
            words="GET /metrics/ passed >cors >prometheus <cors",
        ),
        Case(
            "middleware-misordered",
            "the application is asked for the preflight",
            of(OPTIONS, replaces(LAYERS_PASSED, ">cors >prometheus <prometheus <cors")),
            words="preflight /items/",
        ),
        Case(
            "middleware-misordered",
            "of the mount alone",
            of(OPTIONS, only("/metrics/", replaces(LAYERS_PASSED, ">prometheus <prometheus"))),
            words="preflight /metrics/",
        ),
        Case("unreachable", "nothing is named", drops(LAYERS_PASSED)),
        Case("unreachable", "by somebody else", drops("X-Instance")),
        Case("unreachable", "not routed", instead("/metrics/", NOT_FOUND)),
        Case("unreachable", "the application is down", answers(BAD_GATEWAY)),
    ],
    "hostile": [
        Case("cors-origin-reflected", "whoever asks", reflects),
        Case("cors-origin-reflected", "of GET only", of(GET_, reflects), words="GET /items/"),
        Case("cors-origin-reflected", "of OPTIONS only", of(OPTIONS, reflects), words="OPTIONS "),
        Case("cors-origin-reflected", "/metrics/ only", only("/metrics/", reflects)),
        Case(
            "cors-origin-reflected",
            "a regular expression without its end",
            names(lambda o: o if o.startswith(MAIN) else None),
            words=f"allowed {MAIN}.stranger.example",
        ),
        Case(
            "cors-origin-reflected",
            "case does not count",
            names(lambda o: o if o.lower() == MAIN else None),
            words=f"allowed {MAIN.upper()}",
        ),
        Case(
            "cors-origin-reflected",
            "any port",
            names(lambda o: o if o.rsplit(":", 1)[0] == MAIN else None),
            words=":8080",
        ),
        Case(
            "cors-origin-reflected",
            "any scheme",
            names(lambda o: o if o.partition(":")[2] == MAIN.partition(":")[2] else None),
            words="allowed https://",
        ),
        Case(
            "cors-origin-reflected",
            "the last of two",
            where(twice_an_origin, reflects),
        ),
        Case(
            "cors-origin-reflected",
            "a part of it",
            names(lambda o: o if MAIN in o.split(", ") else None),
            words=f"allowed {MAIN}, http",
        ),
        Case("cors-origin-reflected", "a star", star_for_all, words="allowed *"),
        Case("cors-origin-reflected", "one more", of(OPTIONS, adds(ALLOW, STRANGER))),
        Case("cors-crashes", "many header names", where(many_names, answers(BAD_GATEWAY))),
        Case("cors-crashes", "OPTIONS *", at_star, words="OPTIONS http"),
        Case("cors-crashes", "two origins", where(twice_an_origin, answers(BAD_GATEWAY))),
        Case("cors-crashes", "a strange origin", where(of_origin("*"), status_of(500))),
        Case("cors-crashes", "the application is down", answers(BAD_GATEWAY), words="→ 502"),
    ],
    "metrics": [
        Case("metrics-unreachable", "not routed", instead("/metrics/", NOT_FOUND)),
        Case("metrics-unreachable", "the application is down", answers(BAD_GATEWAY)),
        Case("metrics-unreachable", "by somebody else", only("/metrics/", drops("X-Instance"))),
        Case("metrics-unreachable", "500", only("/metrics/", status_of(500))),
        Case(
            "metrics-unreachable",
            "redirected",
            inside=instead("/metrics/", InstanceMiddleware(RedirectResponse("/metrics"))),
        ),
        Case(
            "metrics-unreachable",
            "a page for people",
            inside=instead("/metrics/", InstanceMiddleware(JSONResponse({"requests": 1}))),
        ),
        Case(
            "metrics-unreachable",
            "no version of the format",
            altered("/metrics/", header("content-type", lambda _: "text/plain; charset=utf-8")),
        ),
        Case(
            "metrics-unreachable", "no type", altered("/metrics/", header("content-type", nothing))
        ),
        Case("metrics-wrong", "not the format", altered("/metrics/", text("{", "("))),
        Case("metrics-wrong", "not UTF-8", altered("/metrics/", not_utf8)),
        Case("metrics-wrong", "empty", altered("/metrics/", empty), words="[]"),
        Case("metrics-wrong", "cut short", altered("/metrics/", cut)),
        Case(
            "metrics-wrong",
            "by path and not by route",
            altered("/metrics/", text("(no route)", "/invented-by-a-stranger")),
            words="a series for an invented path",
        ),
        Case(
            "metrics-wrong",
            "the mount's, by path",
            altered("/metrics/", text("(no route)", "/metrics/invented-by-a-stranger")),
            words="a series for an invented path",
        ),
        Case(
            "metrics-wrong",
            "not counted",
            altered("/metrics/", text("http_requests_total", "requests_total")),
            words="http_requests_total",
        ),
        Case(
            "metrics-wrong",
            "not timed",
            altered("/metrics/", text("http_request_duration_seconds", "seconds")),
            words="http_request_duration_seconds_count",
        ),
        Case(
            "metrics-wrong",
            "by the path's prefix too",
            altered("/metrics/", text('"/items/"', f'"{PREFIX}/items/"')),
        ),
        Case("metrics-wrong", "another status", altered("/metrics/", text('"200"', '"2xx"'))),
        Case(
            "metrics-wrong",
            "nothing asked",
            app=InstanceMiddleware(PlainTextResponse("", media_type="text/plain; version=1.0.0")),
        ),
    ],
}
