"""The checks of transparency find what a proxy changes, and pass where it changes nothing."""

from dataclasses import replace
from itertools import cycle

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import mirror
from hoplab.client.conversation import Conversation
from hoplab.client.probe import WHO_ANSWERED
from hoplab.client.target import Limits
from hoplab.results import Verdict
from hoplab.suites import asking
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.unit import check_cases
from tests.unit.check_cases import by_app
from tests.unit.documented import documented
from tests.unit.messages import closing, no_bytes, one_as_bytes, small_only, talking, text_only
from tests.unit.stub import (
    PREFIX,
    TOPOLOGY,
    Stub,
    all_of,
    altered,
    as_it_is,
    header,
    host,
    instead,
    only,
    rescoped,
    rewritten,
    scoped,
    status,
)
from tests.unit.transparency_faults import (
    ANSWER,
    EVENTS,
    FILE,
    REFUSED,
    Case,
    added_caching,
    arriving,
    as_deflate,
    as_text,
    asked_for,
    beginning,
    believes,
    by_cookie,
    cached,
    caching,
    chunked,
    compressed,
    doubled,
    dropped,
    first_of_each,
    first_on_a_connection,
    from_another_origin,
    gzip_asked,
    halved,
    if_,
    if_json,
    if_status,
    impatient,
    is_head,
    is_post,
    keeps_the_body,
    long_query,
    lowered,
    method,
    named_compressed,
    never_answered,
    no_large_cookie,
    no_length,
    nothing_said,
    of_body,
    one_at_a_time,
    one_cookie,
    opened,
    other_domain,
    page_for,
    preflight,
    query,
    quiet,
    reads_on,
    shorter,
    small_buffer,
    small_cookie,
    text_plain,
    to_another,
    too_large,
    too_slow,
    twice,
    without,
    without_body,
)
from tests.unit.wording import AsWorded

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
        Case("proxy-answered", "long query", if_(long_query, lambda _: REFUSED)),
        Case("request-changed", "header dropped", arriving("authorization")),
        Case("request-changed", "header doubled", arriving("accept-language", "de", "fr")),
        Case("request-changed", "header changed", arriving("accept-encoding", "gzip")),
        Case("request-changed", "range dropped", arriving("range")),
        Case(
            "request-changed",
            "another large cookie",
            if_(too_large, arriving("cookie", "x" * 100)),
        ),
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
        Case("request-repeated", "a POST of a 503", only(ANSWER, if_(asked_for(503), twice))),
        Case("request-repeated", "a POST without an answer", only(ANSWER, if_(dropped, twice))),
        Case(
            "request-repeated",
            "a POST without an answer, and all without one",
            only(ANSWER, if_(dropped, never_answered)),
        ),
        Case(
            "proxy-answered",
            "a POST without an answer is refused",
            only(ANSWER, if_(dropped, lambda _: REFUSED)),
        ),
        Case(
            "request-repeated",
            "and gets another page",
            all_of(altered(ANSWER, page_for(500)), only(ANSWER, twice)),
        ),
        Case("answer-wrong", "a POST that nobody asked", only(ANSWER, if_(is_post, to_another))),
        Case("proxy-answered", "a POST that is refused", only(ANSWER, lambda _: REFUSED)),
    ],
    "answers": [
        Case("answer-wrong", "another page", rewritten(f"{PREFIX}{ANSWER}", f"{PREFIX}/app")),
        Case("answer-changed", "no header of its own", altered(ANSWER, without("x-as-given"))),
        Case(
            "answer-changed",
            "another type",
            altered(ANSWER, if_status(201, header("content-type", text_plain))),
        ),
        Case(
            "answer-changed", "a 304 without ETag", altered(ANSWER, if_status(304, without("etag")))
        ),
        Case("answer-changed", "another status", altered(ANSWER, if_status(201, status(200)))),
        Case("answer-changed", "304 as 200", altered(ANSWER, if_status(304, status(200)))),
        Case("error-page-replaced", "400", altered(ANSWER, page_for(400))),
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
        Case("answer-changed", "its own 422 as 400", altered(ANSWER, if_json(status(400)))),
        Case("answer-changed", "an empty 422", altered(ANSWER, if_json(of_body(b"{}")))),
        Case("answer-changed", "a long 422", altered(ANSWER, if_json(of_body(b"x" * 100)))),
        Case("answer-changed", "a 422 as a list", altered(ANSWER, if_json(of_body(b"[]")))),
        Case("answer-changed", "no ETag", altered(ANSWER, without("etag"))),
        Case(
            "answer-changed", "cache", altered(ANSWER, header("cache-control", lambda _: "public"))
        ),
        Case("answer-changed", "doubled", altered(ANSWER, doubled("x-frame-options"))),
        Case(
            "answer-changed",
            "another Location",
            altered(ANSWER, header("location", lambda to: f"/app{to}")),
        ),
        Case("answer-changed", "another origin may read it", altered("/request", opened)),
        Case(
            "answer-changed",
            "an origin that asks may read it",
            if_(from_another_origin, altered("/request", opened)),
        ),
        Case("answer-changed", "as if compressed", altered(ANSWER, named_compressed)),
        Case("answer-changed", "a cookie's domain", altered(ANSWER, other_domain)),
        Case("answer-changed", "cookies in one", altered(ANSWER, one_cookie)),
        Case("answer-changed", "compressed", altered(ANSWER, compressed)),
        Case("answer-changed", "shorter", altered(ANSWER, shorter)),
        Case("application-unreachable", "too slow", only(ANSWER, too_slow)),
        Case("answer-changed", "HEAD", only(ANSWER, if_(is_head, no_length))),
        Case("answer-changed", "HEAD, another type", if_(is_head, as_text)),
        Case("answer-changed", "HEAD, no ETag", if_(is_head, altered(ANSWER, without("etag")))),
        Case("answer-changed", "another file", altered(FILE, of_body(b"Goodbye. " * 10))),
        Case("answer-changed", "a file without ETag", altered(FILE, without("etag"))),
        Case(
            "answer-changed",
            "not conditional",
            only(FILE, arriving("if-none-match")),
        ),
        Case("answer-changed", "no ranges", only(FILE, arriving("range"))),
        Case("proxy-has-no-route", "not routed", instead(ANSWER, PlainTextResponse("404", 404))),
        Case("application-unreachable", "large head", altered(ANSWER, small_buffer)),
        Case("answer-changed", "cookie cut", altered(ANSWER, small_cookie)),
        Case("answer-changed", "large cookie dropped", altered(ANSWER, no_large_cookie)),
        Case("answer-changed", "deflate for gzip", if_(gzip_asked, altered(ANSWER, as_deflate))),
        Case(
            "answer-changed", "gzip of half", if_(gzip_asked, altered(ANSWER, halved, compressed))
        ),
        Case("answer-changed", "half, asked for gzip", if_(gzip_asked, altered(ANSWER, halved))),
        Case("stream-buffered", "gzip until the end", if_(gzip_asked, altered(EVENTS, compressed))),
        Case(
            "events-lost", "gzip of some", if_(gzip_asked, altered(EVENTS, beginning, compressed))
        ),
    ],
    "isolation": [
        Case("answer-shared", "a cache for all", cached),
        Case("answer-shared", "a cache for each", by_cookie),
        *(Case("answer-shared", f"a cache of {each}", caching(each)) for each in (302, 404, 500)),
        Case("answer-shared", "a body that is kept", only("/echo", keeps_the_body)),
        Case(
            "answers-swapped",
            "another one's",
            query(lambda q: q.replace(b"in-order=1", b"in-order=2")),
        ),
        Case("request-changed", "a query of the proxy's", query(lambda _: b"of=the-proxy")),
        Case(
            "request-changed",
            "one query of the proxy's",
            query(lambda q: q.replace(b"in-order=1", b"in-order=9")),
        ),
        Case("others-wait", "one at a time", one_at_a_time),
    ],
    "routes": [
        Case("route-differs", "docs", only("/docs", scoped(scheme="https"))),
        Case("route-differs", "OpenAPI", only("/openapi.json", host("app:8000"))),
        Case("route-differs", "static", only("/static/hello.txt", scoped(client=("10.0.0.9", 1)))),
        Case("route-differs", "mount", only("/sub/app", scoped(client=("10.0.0.9", 1)))),
        Case("route-differs", "upload", only("/echo", host("app:8000"))),
        Case("route-differs", "WebSocket", only("/ws", scoped(client=("10.0.0.9", 1)))),
        *(
            Case("route-differs", f"a lie at {path}", only(path, believes))
            for path in ("/docs", "/openapi.json", "/sub/app", FILE, "/events", "/echo", "/ws")
        ),
    ],
    "websocket-messages": [
        Case("websocket-changed", "subprotocol", scoped(subprotocols=[])),
        Case("websocket-changed", "header", arriving("authorization")),
        Case("websocket-changed", "origin", arriving("origin")),
        Case("websocket-changed", "query", query(lambda _: b"")),
        Case("websocket-changed", "text only", talking(text_only)),
        Case("websocket-changed", "a text as bytes", talking(one_as_bytes)),
        Case("websocket-ended", "too large", talking(small_only)),
        Case("websocket-ended", "bytes", talking(no_bytes)),
        Case("websocket-refused", "400", instead("/ws/mirror", by_app(PlainTextResponse("", 400)))),
        Case("websocket-ended", "before a message", talking(nothing_said)),
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
    "disconnect": [
        Case("disconnect-unnoticed", "the proxy reads on", reads_on),
        Case("disconnect-unnoticed", "it notices when it writes", if_(quiet, reads_on)),
    ],
}

EVERY_CASE = [
    pytest.param(check, case, id=f"{check}-{case.title.replace(' ', '-')}")
    for check, cases in CASES.items()
    for case in cases
]


pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.mark.parametrize(("check", "case"), EVERY_CASE)
def test_a_fault_is_found_and_named(
    stub: Stub, check: str, case: Case, as_worded: AsWorded
) -> None:
    stub.serve(as_it_is, case.outside)

    finding = stub.ask(check)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail
    as_worded(finding)


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
    cases = {*CASES, *check_cases.CASES, *check_cases.TESTED_BELOW}
    assert cases == set(CHECKS) - {"direct", "limits"}


def test_what_is_not_reached_is_left_to_its_own_check(stub: Stub) -> None:
    not_found = PlainTextResponse("404", 404)
    stub.serve(
        as_it_is, all_of(instead("/static/hello.txt", not_found), instead("/docs", not_found))
    )

    assert stub.ask("answers").detail == (
        "14 statuses, 15 headers, HEAD; not of the static file, which is not reached: as given"
    )
    assert "not reached: docs, static file" in stub.ask("routes").detail


def test_what_others_were_answered_is_compared(stub: Stub) -> None:
    """One route alone, which only another check asks for."""
    stub.serve(as_it_is, only("/request", scoped(client=("10.0.0.9", 1))))
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)
    checks = {name: CHECKS[name] for name in ("routes", "isolation")}

    [result] = asking.ask(
        [asking.Job(cell, stub.target(cell), recommended=True)], checks, lambda *_: None
    )

    found = {finding.check: finding.symptom for finding in result.findings}
    assert found == {"routes": "route-differs", "isolation": None}
    assert "another question: client '10.0.0.9'" in result.findings[0].detail


@pytest.mark.parametrize("value", ["one, two", "one,two"])
def test_a_header_of_two_lines_may_arrive_as_one(stub: Stub, value: str) -> None:
    """RFC 9110, 5.3."""
    stub.serve(as_it_is, arriving("x-twice", value))

    finding = stub.ask("requests")

    assert finding.verdict is Verdict.PASS, finding.detail


def test_what_is_compressed_for_a_client_that_asked_is_right(stub: Stub) -> None:
    stub.serve(as_it_is, if_(gzip_asked, altered(ANSWER, compressed)))

    finding = stub.ask("answers")

    assert finding.verdict is Verdict.PASS, finding.detail


def test_a_page_of_the_proxy_s_replaces_only_what_the_application_was_asked_for(
    stub: Stub,
) -> None:
    """Also if somebody else asked for it before."""
    stub.serve(as_it_is, altered(ANSWER, page_for(404)))
    replaced = stub.ask("answers")
    stub.serve(as_it_is, only(ANSWER, if_(asked_for(404), lambda _: PlainTextResponse("", 404))))
    refused = stub.ask("answers")

    assert (replaced.symptom, refused.symptom) == ("error-page-replaced", "proxy-has-no-route")


@pytest.mark.parametrize("turn", [0, 1])
def test_one_page_of_the_proxy_s_says_nothing_of_a_cache(stub: Stub, turn: int) -> None:
    """Of two answers, the first or the second: `answers` judges it."""

    def every_other(app: ASGIApp) -> ASGIApp:
        ways: cycle[ASGIApp] = cycle([app, REFUSED] if turn else [REFUSED, app])

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            await (next(ways) if asked_for(404)(scope) else app)(scope, receive, send)

        return asked

    stub.serve(as_it_is, every_other)

    finding = stub.ask("isolation")

    assert finding.verdict is Verdict.PASS, finding.detail


def test_a_stream_that_is_kept_back_is_left_as_well(stub: Stub) -> None:
    """The proxy has to have all of it before it passes any of it on."""

    def kept_back(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            async def nothing(_: Message) -> None: ...

            endless = scope["path"].startswith(f"{PREFIX}/endless/once-")
            await app(scope, receive, nothing if endless and "left" not in scope["path"] else send)

        return asked

    stub.serve(as_it_is, kept_back)

    finding = stub.ask("disconnect")

    assert finding.verdict is Verdict.PASS, finding.detail
    assert "after 0.5 s in which nothing came" in finding.detail


def test_a_stream_that_nobody_was_asked_for_is_not_judged(stub: Stub) -> None:
    def keeps(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"]
            if path.startswith(f"{PREFIX}/endless/once-") and not path.endswith("/left"):
                while (await receive())["type"] != "http.disconnect":
                    pass
            else:
                await app(scope, receive, send)

        return asked

    stub.serve(as_it_is, keeps)

    finding = stub.ask("disconnect")

    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "a hop keeps the request back" in finding.detail


def test_a_websocket_that_ends_at_a_ping_is_found(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No application can: its server answers a ping by itself."""
    monkeypatch.setattr(Conversation, "ping", lambda *_: False)

    finding = stub.ask("websocket-messages")

    assert finding.symptom == "websocket-ended"
    assert finding.detail == "closed after a ping: without a word"


def test_a_websocket_that_falls_silent_has_ended(stub: Stub) -> None:
    """It stays open, and nothing comes: a finding, and no error of the lab's."""

    def silent(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            said = 0

            async def first(message: Message) -> None:
                nonlocal said
                said += message["type"] == "websocket.send"
                if said < 2:
                    await send(message)

            await app(scope, receive, first)

        return asked

    stub.serve(as_it_is, silent)
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)
    target = replace(stub.target(cell), limits=Limits(seconds=0.3))

    finding = asking.ask_one("websocket-messages", CHECKS["websocket-messages"], target)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, "websocket-ended"), finding.detail
    assert "nothing comes any more" in finding.detail


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
