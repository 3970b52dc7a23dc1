"""The checks that are asked once a topology: each fails for every fault of a proxy in its way."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import mirror
from hoplab.client.probe import WHO_ANSWERED
from hoplab.results import Verdict
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Scheme
from tests.unit import test_checks
from tests.unit.messages import closing, small_only, talking, text_only
from tests.unit.stub import (
    PREFIX,
    Edit,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    header,
    host,
    instead,
    only,
    rescoped,
    scoped,
    status,
)
from tests.unit.test_checks import documented

REFUSED = PlainTextResponse("<html>refused</html>", 405)


@dataclass(frozen=True)
class Case:
    """What a check has to find, and the proxy's fault."""

    symptom: str
    title: str
    outside: Fault


# --- the way in ---


def if_(asked: Callable[[Scope], bool], fault: Fault) -> Fault:
    """The fault, for some requests."""

    def chosen(app: ASGIApp) -> ASGIApp:
        faulty = fault(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            await (faulty if asked(scope) else app)(scope, receive, send)

        return choose

    return chosen


def method(name: str) -> Callable[[Scope], bool]:
    return lambda scope: scope.get("method") == name and scope["path"] == f"{PREFIX}/request"


def query(change: Callable[[bytes], bytes]) -> Fault:
    return rescoped(lambda scope: {"query_string": change(scope["query_string"])})


def arriving(name: str, *values: str) -> Fault:
    """The request's header arrives with these values."""

    def change(scope: Scope) -> dict[str, Any]:
        others = [h for h in scope["headers"] if h[0].decode() != name]
        given = any(h[0].decode() == name for h in scope["headers"])
        return {"headers": others + [(name.encode(), v.encode()) for v in values if given]}

    return rescoped(change)


def preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


def too_large(scope: Scope) -> bool:
    return any(len(value) > 8000 for _, value in scope["headers"])


def first_of_each(scope: Scope) -> dict[str, Any]:
    return {"headers": list(dict(reversed(scope["headers"])).items())}


def lowered(scope: Scope) -> dict[str, Any]:
    return {"path": scope["path"].lower()}


def keeps_the_body(app: ASGIApp) -> ASGIApp:
    """Who sends nothing gets what was sent before."""
    last = b""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def kept() -> Message:
            nonlocal last
            message = await receive()
            last = message.get("body") or last
            return {**message, "body": last}

        await app(scope, kept, send)

    return asked


def without_body(app: ASGIApp) -> ASGIApp:
    async def asked(scope: Scope, _: Receive, send: Send) -> None:
        async def nothing() -> Message:
            return {"type": "http.request", "body": b""}

        await app(scope, nothing, send)

    return asked


def chunked(scope: Scope) -> bool:
    return (b"transfer-encoding", b"chunked") in scope["headers"]


def twice(app: ASGIApp) -> ASGIApp:
    """The proxy sends what failed once more."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def nowhere(_: Message) -> None: ...

        async def nothing() -> Message:
            return {"type": "http.request", "body": b""}

        await app(scope, nothing, nowhere)
        await app(scope, receive, send)

    return if_(lambda scope: scope.get("method") == "POST", lambda _: asked)(app)


# --- the way back ---

ANSWER = "/answer"


def without(name: str) -> Edit:
    return header(name, lambda _: None)


public = header("cache-control", lambda _: "public")


def text_plain(_: str) -> str:
    return "text/plain"


def added_caching(answer: Any) -> None:
    answer.headers["cache-control"] = "public, max-age=600"


def emptied(answer: Any) -> None:
    if answer.body.startswith(b"{"):
        answer.body = b"{}"


def doubled(name: str) -> Edit:
    return lambda answer: answer.headers.append(name, answer.headers[name])


def one_cookie(answer: Any) -> None:
    cookies = answer.headers.getlist("set-cookie")
    answer.headers["set-cookie"] = ", ".join(cookies)
    first = answer.headers["set-cookie"]
    del answer.headers["set-cookie"]
    answer.headers["set-cookie"] = first


def page_for(code: int) -> Edit:
    """`error_page`: the proxy's own, without what the application gave."""

    def edit(answer: Any) -> None:
        if answer.status == code:
            for name in list(answer.headers):
                del answer.headers[name]
            answer.body = b"<html>Sorry</html>"
            answer.headers["content-length"] = "18"

    return edit


def if_status(code: int, edit: Edit) -> Edit:
    return lambda answer: edit(answer) if answer.status == code else None


def compressed(answer: Any) -> None:
    answer.body = gzip.compress(answer.body)
    answer.headers["content-encoding"] = "gzip"


def shorter(answer: Any) -> None:
    answer.body = answer.body[:1000]


def is_head(scope: Scope) -> bool:
    return bool(scope["method"] == "HEAD")


no_length = altered(ANSWER, without("content-length"))


def too_slow(app: ASGIApp) -> ASGIApp:
    """A time-out of half a second."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if b"seconds" in scope["query_string"]:
            await PlainTextResponse("504 Gateway Time-out", 504)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return asked


# --- between clients ---


def cached(app: ASGIApp) -> ASGIApp:
    """Every answer is kept, by method, path and query."""
    kept: dict[Any, list[Message]] = {}

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        key = (scope["method"], scope["path"], scope["query_string"])
        if key not in kept:
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            kept[key] = messages
        for message in kept[key]:
            await send(message)

    return asked


cached_by_cookie = if_(lambda scope: b"shared" in scope["query_string"], cached)
"""Nobody asked for a cache, though nobody sees another one's page."""


def by_cookie(app: ASGIApp) -> ASGIApp:
    caches: dict[Any, ASGIApp] = {}

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        cookie = dict(scope["headers"]).get(b"cookie")
        await caches.setdefault(cookie, cached(app))(scope, receive, send)

    return asked


# --- between routes ---


@rescoped
def believes(scope: Scope) -> dict[str, Any]:
    told = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
    return {"client": ("192.0.2.7", 1)} if told else {}


# --- WebSockets ---


def impatient(app: ASGIApp) -> ASGIApp:
    """Closes what is quiet for a moment."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def soon() -> Message:
            try:
                return await asyncio.wait_for(receive(), 0.3)
            except TimeoutError:
                await send({"type": "websocket.close", "code": 1001})
                return {"type": "websocket.disconnect", "code": 1001}

        await app(scope, soon, send)

    return if_(lambda scope: scope["type"] == "websocket", lambda _: asked)(app)


# --- leaving ---


def reads_on(app: ASGIApp) -> ASGIApp:
    """`proxy_ignore_client_abort on`."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def stays() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                await asyncio.sleep(1)  # longer than the check waits
            return message

        async def anyway(message: Message) -> None:
            await send(message)

        await app(scope, stays, anyway)

    return asked


def first_on_a_connection(app: ASGIApp) -> ASGIApp:
    """Go's servers allow a larger head on a connection that was used before."""
    known = set()

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        new = scope["client"] not in known
        known.add(scope["client"])
        await (REFUSED if new and too_large(scope) else app)(scope, receive, send)

    return asked


CASES: dict[str, list[Case]] = {
    "requests": [
        Case("request-changed", "DELETE as GET", if_(method("DELETE"), scoped(method="GET"))),
        Case("proxy-answered", "PUT refused", if_(method("PUT"), lambda _: REFUSED)),
        Case("proxy-answered", "a preflight", if_(preflight, lambda _: REFUSED)),
        Case("request-changed", "query decoded", query(lambda q: q.replace(b"%20", b" "))),
        Case("request-changed", "query re-encoded", query(lambda q: q.replace(b"%c3", b"%C3"))),
        Case(
            "request-changed",
            "query sorted",
            query(lambda q: b"&".join(sorted(q.split(b"&")))),
        ),
        Case("request-changed", "no query", query(lambda _: b"")),
        Case("request-changed", "header dropped", arriving("authorization")),
        Case("request-changed", "header doubled", arriving("accept-language", "de", "fr")),
        Case("request-changed", "header changed", arriving("accept-encoding", "gzip")),
        Case("request-changed", "range dropped", arriving("range")),
        Case("request-changed", "a dict of headers", rescoped(first_of_each)),
        Case("request-changed", "lower case", only("/scope/Mixed-Case/~a_b.c", rescoped(lowered))),
        Case(
            "request-changed",
            "raw_path",
            only(
                "/scope/Mixed-Case/~a_b.c",
                rescoped(lambda scope: {"raw_path": scope["raw_path"].replace(b"~", b"-")}),
            ),
        ),
        Case("answer-wrong", "as text", altered("/request", header("content-type", text_plain))),
        Case("proxy-answered", "large cookie", if_(too_large, lambda _: REFUSED)),
        Case("proxy-answered", "large cookie, new connection", first_on_a_connection),
        Case("proxy-answered", "chunked refused", if_(chunked, lambda _: REFUSED)),
        Case("request-changed", "chunked emptied", if_(chunked, without_body)),
        Case("request-repeated", "a POST that fails", only(ANSWER, twice)),
        Case("proxy-answered", "a POST that is refused", only(ANSWER, lambda _: REFUSED)),
    ],
    "answers": [
        Case("answer-changed", "another status", altered(ANSWER, if_status(201, status(200)))),
        Case("answer-changed", "304 as 200", altered(ANSWER, if_status(304, status(200)))),
        Case("error-page-replaced", "404", altered(ANSWER, page_for(404))),
        Case("error-page-replaced", "503", altered(ANSWER, page_for(503))),
        Case(
            "answer-changed",
            "no challenge",
            altered(ANSWER, header("www-authenticate", lambda _: None)),
        ),
        Case("answer-changed", "cacheable", altered("/request", added_caching)),
        Case(
            "answer-changed",
            "events that may be cached",
            altered("/events", header("cache-control", lambda _: None)),
        ),
        Case("answer-changed", "no 422 of its own", altered(ANSWER, if_status(422, status(400)))),
        Case("answer-changed", "an empty 422", altered(ANSWER, if_status(422, emptied))),
        Case("answer-changed", "no ETag", altered(ANSWER, without("etag"))),
        Case(
            "answer-changed", "cache", altered(ANSWER, header("cache-control", lambda _: "public"))
        ),
        Case("answer-changed", "doubled", altered(ANSWER, doubled("x-frame-options"))),
        Case("answer-changed", "cookies in one", altered(ANSWER, one_cookie)),
        Case("answer-changed", "compressed", altered(ANSWER, compressed)),
        Case("answer-changed", "shorter", altered(ANSWER, shorter)),
        Case("application-unreachable", "too slow", only(ANSWER, too_slow)),
        Case("answer-changed", "HEAD", only(ANSWER, if_(is_head, no_length))),
        Case(
            "answer-changed",
            "not conditional",
            only("/static/hello.txt", arriving("if-none-match")),
        ),
        Case("answer-changed", "no ranges", only("/static/hello.txt", arriving("range"))),
        Case("proxy-has-no-route", "not routed", instead(ANSWER, PlainTextResponse("404", 404))),
    ],
    "isolation": [
        Case("answer-shared", "a cache for all", cached),
        Case("answer-shared", "a cache for each", by_cookie),
        Case("answer-shared", "a body that is kept", only("/echo", keeps_the_body)),
        Case(
            "answers-swapped",
            "another one's",
            query(lambda q: q.replace(b"in-order=1", b"in-order=2")),
        ),
    ],
    "routes": [
        Case("route-differs", "docs", only("/docs", scoped(scheme="https"))),
        Case("route-differs", "OpenAPI", only("/openapi.json", host("app:8000"))),
        Case("route-differs", "static", only("/static/hello.txt", scoped(client=("10.0.0.9", 1)))),
        Case("route-differs", "mount", only("/sub/app", scoped(client=("10.0.0.9", 1)))),
        Case("route-differs", "upload", only("/echo", host("app:8000"))),
        Case("route-differs", "WebSocket", only("/ws", scoped(client=("10.0.0.9", 1)))),
        Case("route-differs", "events, a lie", only("/events", believes)),
    ],
    "websocket-messages": [
        Case("websocket-changed", "subprotocol", scoped(subprotocols=[])),
        Case("websocket-changed", "header", arriving("authorization")),
        Case("websocket-changed", "text only", talking(text_only)),
        Case("websocket-ended", "too large", talking(small_only)),
        Case("websocket-ended", "quiet", impatient),
        Case("websocket-changed", "code", talking(closing(1000))),
        Case(
            "websocket-refused",
            "another path",
            only(
                "/ws/mirror",
                rescoped(
                    lambda scope: {
                        "path": scope["path"] + "x",
                        "raw_path": scope["raw_path"] + b"x",
                    }
                ),
            ),
        ),
    ],
    "disconnect": [Case("disconnect-unnoticed", "the proxy reads on", reads_on)],
}

EVERY_CASE = [
    pytest.param(check, case, id=f"{check}-{case.title.replace(' ', '-')}")
    for check, cases in CASES.items()
    for case in cases
]


pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.mark.parametrize(("check", "case"), EVERY_CASE)
def test_a_fault_is_found_and_named(stub: Stub, check: str, case: Case) -> None:
    stub.serve(as_it_is, case.outside)

    finding = stub.ask(check)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail


@pytest.mark.parametrize("check", CASES)
@pytest.mark.parametrize("scheme", Scheme)
def test_a_right_deployment_passes(stub: Stub, check: str, scheme: Scheme) -> None:
    finding = stub.ask(check, scheme)

    assert finding.verdict is Verdict.PASS, finding.detail


@pytest.mark.parametrize("check", CASES)
def test_every_documented_symptom_has_a_case(check: str) -> None:
    found = {case.symptom for case in CASES[check]}

    assert found - set(WHO_ANSWERED) == documented(CHECKS[check])


def test_every_check_that_judges_can_fail() -> None:
    cases = {*CASES, *test_checks.CASES, *test_checks.TESTED_BELOW}
    assert cases == set(CHECKS) - {"direct", "limits"}


def test_what_is_not_reached_is_left_to_its_own_check(stub: Stub) -> None:
    not_found = PlainTextResponse("404", 404)
    stub.serve(
        as_it_is, all_of(instead("/static/hello.txt", not_found), instead("/docs", not_found))
    )

    assert "not of the static file" in stub.ask("answers").detail
    assert "not reached: docs, static file" in stub.ask("routes").detail


def test_limits_are_recorded(stub: Stub) -> None:
    stub.serve(as_it_is, query(lambda q: q.replace(b";", b"&")))

    finding = stub.ask("limits")

    assert finding.verdict is Verdict.RECORDED
    assert "?a=1;b=2 arrives as ?a=1&b=2" in finding.detail
    assert "/scope/a//b arrives as /scope/a//b" in finding.detail
    assert finding.detail.endswith("; early hints: none; trailers: none")


def test_what_the_server_offers_is_recorded(stub: Stub) -> None:
    stub.serve(scoped(extensions={"http.response.trailers": {}}), as_it_is)

    assert stub.ask("limits").detail.endswith("; early hints: none; trailers: offered")


def test_a_cookie_that_the_proxy_refuses_is_recorded(stub: Stub) -> None:
    stub.serve(as_it_is, if_(too_large, lambda _: REFUSED))

    assert "a cookie of 12 KiB is 405 (by the proxy)" in stub.ask("limits").detail


def test_an_application_that_stays_up_counts_new_tokens(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that counts no more would tell of requests that did not arrive."""
    monkeypatch.setattr(mirror, "_MOST", 1)

    for _ in range(2):
        finding = stub.ask("requests")
        assert finding.verdict is Verdict.PASS, finding.detail
        left = stub.ask("disconnect")
        assert left.verdict is Verdict.PASS, left.detail
